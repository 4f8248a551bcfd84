"""Makes images.json: tiny image files (as hex) and what SimpleITK reads from them.

A case of several numbers per voxel has `channels`: each channel's values.

Run with SimpleITK 2.5 and numpy:  python make_images.py > images.json
NIfTI-2, which ITK 5.4 does not read, is read with nibabel as NIfTI-1 rules say it should be.
"""
import gzip, itertools, json, math, os, struct, sys, tempfile, zlib
import numpy as np
import SimpleITK as sitk

rng = np.random.default_rng(1)
SIZE = (4, 3, 2)
TYPES = ['u1', 'i1', 'u2', 'i2', 'u4', 'i4', 'u8', 'i8', 'f4', 'f8']
cases = []
folder = tempfile.mkdtemp()


def values(kind, size=SIZE):
    n = int(np.prod(size))
    if kind[0] == 'f':
        v = rng.normal(0, 1000, n)
    else:
        info = np.iinfo(kind)
        v = rng.integers(info.min, info.max, n, dtype=kind, endpoint=True)
    return v.astype(kind)


def expect(path, name, data):
    image = sitk.ReadImage(path)
    array = sitk.GetArrayFromImage(image)
    d = image.GetDimension()
    channels = image.GetNumberOfComponentsPerPixel()
    geometry = lambda v, fill: list(v) + [fill] * (3 - d)
    direction = np.eye(3)
    direction[:d, :d] = np.array(image.GetDirection()).reshape(d, d)
    cases.append({
        'name': name, 'hex': data.hex(), 'dtype': array.dtype.name,
        'size': geometry(image.GetSize(), 1), 'spacing': geometry(image.GetSpacing(), 1.0), 'origin': geometry(image.GetOrigin(), 0.0),
        'direction': (direction + 0.0).tolist(), 'values': [repr(v) for v in array.ravel().tolist()] if channels == 1 else [],
        **({} if channels == 1 else {'channels': [[repr(v) for v in array[..., c].ravel().tolist()] for c in range(channels)]}),
    })


def add(name, ending, data):
    path = os.path.join(folder, f'{len(cases)}{ending}')
    open(path, 'wb').write(data)
    expect(path, name, data)


CODES = {'u1': 2, 'i2': 4, 'i4': 8, 'f4': 16, 'f8': 64, 'i1': 256, 'u2': 512, 'u4': 768, 'i8': 1024, 'u8': 1280}


def nifti(kind='i2', endian='<', size=SIZE, pixdim=(0.75, 1.25, 2.5), qform=0, sform=0, quat=(0, 0, 0), qoff=(0, 0, 0), srow=np.zeros((3, 4)),
          qfac=1.0, slope=0.0, inter=0.0, units=10, offset=352):
    h = bytearray(352)
    put = lambda at, fmt, *v: struct.pack_into(endian + fmt, h, at, *v)
    put(0, 'i', 348)
    put(40, '8h', len(size), *size, *[1] * (7 - len(size)))
    put(70, '2h', CODES[kind], 8 * int(kind[1]))
    put(76, '8f', qfac, *pixdim, *[0] * (7 - len(pixdim)))
    put(108, '3f', offset, slope, inter)
    put(123, 'B', units)
    put(252, '2h', qform, sform)
    put(256, '6f', *quat, *qoff)
    put(280, '12f', *np.asarray(srow, dtype='f4').ravel())
    put(344, '4s', b'n+1\0')
    return bytes(h) + bytes(offset - 352) + values(kind, size).astype(endian + kind).tobytes()


def quaternion(axis, angle):
    axis = np.array(axis, float) / np.linalg.norm(axis)
    return tuple(axis * math.sin(angle / 2))


def rotation(axis, angle):
    x, y, z = np.array(axis, float) / np.linalg.norm(axis)
    k = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + math.sin(angle) * k + (1 - math.cos(angle)) * k @ k


def affine(r, spacing=(0.75, 1.25, 2.5), origin=(-12.5, 33.25, 7.125)):
    return np.column_stack([r * np.array(spacing), origin])


for kind, endian in itertools.product(TYPES, '<>'):
    add(f'nifti {endian}{kind}', '.nii', nifti(kind, endian, sform=1, srow=affine(np.diag([-1, -1, 1]))))
off = (-12.5, 33.25, 7.125)
turn = rotation((1, 2, 3), 0.7)
add('nifti no form', '.nii', nifti())
add('nifti qform', '.nii', nifti(qform=1, quat=quaternion((1, 2, 3), 0.7), qoff=off))
add('nifti qform, qfac -1', '.nii', nifti(qform=1, quat=quaternion((3, 1, -1), 2.9), qoff=off, qfac=-1.0))
add('nifti qform, half turn', '.nii', nifti(qform=2, quat=(0, 0, 1), qoff=off))
add('nifti qform, qfac 0', '.nii', nifti(qform=1, quat=(0, 0, 0), qoff=off, qfac=0.0))
for code in (1, 2, 4):
    add(f'nifti sform {code}', '.nii', nifti(sform=code, srow=affine(turn)))
    add(f'nifti both, sform {code} differs', '.nii', nifti(qform=1, quat=quaternion((1, 0, 0), 0.3), qoff=(1, 2, 3), sform=code, srow=affine(turn)))
    add(f'nifti both alike, sform {code}', '.nii', nifti(qform=1, quat=quaternion((1, 2, 3), 0.1), qoff=off, sform=code, srow=affine(rotation((1, 2, 3), 0.1))))
skew = turn @ np.array([[1, 0.1, 0], [0, 1, 0], [0, 0, 1]])
add('nifti skewed sform, qform', '.nii', nifti(qform=1, quat=quaternion((1, 2, 3), 0.7), qoff=off, sform=1, srow=affine(skew)))
add('nifti sform of other scale', '.nii', nifti(sform=1, srow=affine(turn, spacing=(1, 1, 1))))
for name, slope, inter in [('slope', 0.01, -3.7), ('intercept', 1.0, -1024.0), ('slope 0', 0.0, 5.0), ('nan', math.nan, math.nan), ('identity', 1.0, 0.0)]:
    for kind in ('u1', 'i2', 'i4', 'i8', 'f4', 'f8'):
        add(f'nifti {kind} scaled: {name}', '.nii', nifti(kind, qform=1, slope=slope, inter=inter))
add('nifti scaled without form', '.nii', nifti(slope=2.0, inter=1.0))
add('nifti metres', '.nii', nifti(qform=1, qoff=(0.1, 0.2, 0.3), pixdim=(0.001, 0.002, 0.003), units=9))
add('nifti microns', '.nii', nifti(qform=1, qoff=(100, 200, 300), pixdim=(1000, 2000, 3000), units=11))
add('nifti 4D of one', '.nii', nifti(size=(4, 3, 2, 1), qform=1, pixdim=(1, 2, 3, 4)))
add('nifti extension', '.nii', nifti(qform=1, offset=384))
add('nifti gzip', '.nii.gz', gzip.compress(nifti('f4', qform=1, qoff=off), mtime=0))


def write(image, ending, compress):
    path = os.path.join(folder, f'{len(cases)}{ending}')
    sitk.WriteImage(image, path, useCompression=compress)
    return open(path, 'rb').read()


def picture(kind, size=SIZE, direction=turn):
    image = sitk.GetImageFromArray(values(kind, size).reshape(size[::-1]))
    d = len(size)
    image.SetSpacing((0.7, 1.3, 2.6)[:d])
    image.SetOrigin((-100.1, 50.7, 3.3)[:d])
    if d == 3:
        image.SetDirection(direction.ravel())
    return image


for ending in ('.nrrd', '.mha'):
    for kind in TYPES:
        add(f'{ending} {kind}', ending, write(picture(kind), ending, kind in ('i2', 'f4')))
    add(f'{ending} mirrored', ending, write(picture('i2', direction=np.array([[0, 0, 1], [-1, 0, 0], [0, 1, 0.0]])), ending, True))
    add(f'{ending} 2D', ending, write(picture('i2', size=(4, 3)), ending, False))

DIRECTIONS = 'space directions: (0.6,0.1,0) (-0.2,1.2,0) (0,0,-2.5)\nspace origin: (1.5,-2.5,3.5)\n'


def nrrd(data, kind='int16', sizes='4 3 2', dimension=3, lines='', encoding='raw', endian='endian: little\n'):
    head = f'NRRD0005\n# made by make_images.py\ntype: {kind}\ndimension: {dimension}\nsizes: {sizes}\n{lines}{endian}encoding: {encoding}\nowner:=nobody: at all\n\n'
    return head.encode() + data


short = values('i2')
raw = short.tobytes()
for space in ('left-posterior-superior', 'RAS', 'right-anterior-superior', 'LAS', 'scanner-xyz', '3D-right-handed'):
    add(f'nrrd {space}', '.nrrd', nrrd(raw, lines=f'space: {space}\n{DIRECTIONS}'))
add('nrrd big endian', '.nrrd', nrrd(short.astype('>i2').tobytes(), lines=f'space: LPS\n{DIRECTIONS}', endian='endian: big\n'))
add('nrrd spacings', '.nrrd', nrrd(raw, lines='spacings: 0.5 0.6 0.7\n'))
add('nrrd bare', '.nrrd', nrrd(raw))
add('nrrd space dimension', '.nrrd', nrrd(raw, lines=f'space dimension: 3\n{DIRECTIONS}'))
add('nrrd axis mins, cell', '.nrrd', nrrd(raw, lines='spacings: 0.5 0.6 0.7\naxis mins: 1 2 3\n'))
add('nrrd axis mins, node', '.nrrd', nrrd(raw, lines='spacings: 0.5 0.6 0.7\naxis mins: 1 2 3\ncenterings: node node node\n'))
add('nrrd text', '.nrrd', nrrd(' '.join(map(str, short)).encode() + b'\n', encoding='ascii', lines=f'space: LPS\n{DIRECTIONS}', endian=''))
add('nrrd text float', '.nrrd', nrrd('\n'.join(map(repr, values('f4').tolist())).encode(), kind='float', encoding='text', endian=''))
add('nrrd hex', '.nrrd', nrrd(raw.hex().encode(), encoding='hex'))
add('nrrd gzip', '.nrrd', nrrd(gzip.compress(raw, mtime=0), encoding='gz'))


def mha(data, lines='', kind='MET_SHORT', size='4 3 2', dims=3):
    return f'ObjectType = Image\nNDims = {dims}\n{lines}DimSize = {size}\nElementType = {kind}\nElementDataFile = LOCAL\n'.encode() + data


add('mha bare', '.mha', mha(raw))
add('mha big endian', '.mha', mha(short.astype('>i2').tobytes(), 'BinaryData = True\nElementByteOrderMSB = True\n'))
add('mha big endian, other name', '.mha', mha(short.astype('>i2').tobytes(), 'BinaryData = True\nBinaryDataByteOrderMSB = True\n'))
add('mha zlib', '.mha', mha(zlib.compress(raw), f'BinaryData = True\nCompressedData = True\nCompressedDataSize = {len(zlib.compress(raw))}\n'))
add('mha rotated', '.mha', mha(raw, 'BinaryData = True\nRotation = 0 1 0 0 0 1 1 0 0\nOrigin = 1 2 3\nElementSpacing = 0.1 0.2 0.3\n'))
add('mha long', '.mha', mha(values('i4').tobytes(), 'BinaryData = True\n', kind='MET_LONG'))
add('mha text', '.mha', mha(' '.join(map(str, short)).encode() + b'\n', 'BinaryData = False\nElementSpacing = 1 2 3\n'))


def layers(kind, count, size=SIZE):
    image = sitk.GetImageFromArray(values(kind, (*size, count)).reshape((*size[::-1], count)), isVector=True)
    image.SetSpacing((0.7, 1.3, 2.6))
    image.SetOrigin((-100.1, 50.7, 3.3))
    image.SetDirection(turn.ravel())
    return image


for ending in ('.nrrd', '.mha', '.nii', '.nii.gz'):
    for kind, count in (('u1', 2), ('i2', 5), ('f4', 3)):
        add(f'{ending} {kind}, {count} channels', ending, write(layers(kind, count), ending, ending in ('.nrrd', '.mha') and kind == 'i2'))
two = values('i2', (4, 3, 2, 2)).tobytes()
first = DIRECTIONS.replace('space directions: ', 'space directions: none ')
last = DIRECTIONS.replace('-2.5)', '-2.5) none', 1)
kinds = 'kinds: domain domain domain domain'
add('nrrd channels first', '.nrrd', nrrd(two, sizes='2 4 3 2', dimension=4, lines=f'space: RAS\n{kinds.replace("domain", "list", 1)}\n{first}'))
add('nrrd channels last', '.nrrd', nrrd(two, sizes='4 3 2 2', dimension=4, lines=f'space: LPS\n{kinds[:-6]}list\n{last}'))
add('nrrd channels by kind', '.nrrd', nrrd(two, sizes='2 4 3 2', dimension=4, lines=f'{kinds.replace("domain", "vector", 1)}\nspacings: nan 0.5 0.6 0.7\n'))
print('[\n' + ',\n'.join(json.dumps(c) for c in cases) + '\n]')
