//! PyRadiomics-compatible radiomics features of a region of interest. Knows no engine.
