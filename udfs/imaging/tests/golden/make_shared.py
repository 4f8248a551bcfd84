"""Makes shared.json: what SimpleITK 2.5 reads from the real images of ../shared (geometry, type, SHA-256 of the voxels as little endian).

python make_shared.py ../../../../../shared/reference > shared.json
"""
import glob, hashlib, json, os, sys
import SimpleITK as sitk

root = sys.argv[1]
out = []
for pattern in ('radiomics/cases/*.nrrd', 'dicom/STS_019/nifti/*.nii.gz', 'crossformer/*.nii.gz'):
    for path in sorted(glob.glob(os.path.join(root, pattern))):
        image = sitk.ReadImage(path)
        array = sitk.GetArrayFromImage(image)
        d = image.GetDirection()
        out.append({'file': os.path.relpath(path, root), 'dtype': array.dtype.name, 'size': image.GetSize(), 'spacing': image.GetSpacing(),
                    'origin': image.GetOrigin(), 'direction': [d[:3], d[3:6], d[6:]], 'sha256': hashlib.sha256(array.tobytes()).hexdigest()})
print('[\n' + ',\n'.join(json.dumps(c) for c in out) + '\n]')
