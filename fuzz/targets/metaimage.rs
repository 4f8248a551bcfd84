//! MetaImage: no bytes make the parser panic, or allocate more than they could fill (run with -malloc_limit_mb).
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = esccsql_imaging::parse_metaimage(bytes);
    let _ = esccsql_imaging::parse_channel(bytes, 1);
});
