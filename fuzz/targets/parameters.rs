//! PyRadiomics' parameter files: no text makes the reader panic, nest without end or allocate more than it could fill, and
//! what is accepted can be listed.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(parameters) = esccsql_radiomics::Parameters::parse(text) {
        let few = parameters.settings.level < 8 && parameters.settings.lbp_3d_levels < 100;
        if few && parameters.settings.image_settings.iter().all(|(_, own)| own.level < 8 && own.lbp_3d_levels < 100) {
            assert!(esccsql_radiomics::features(&parameters.settings).is_ok());
        }
    }
});
