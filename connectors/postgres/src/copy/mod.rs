//! Binary COPY into columns.

mod column_decoder;
mod copy_decoder;
mod numeric;

pub(crate) use copy_decoder::CopyDecoder;
#[cfg(test)]
pub(crate) use numeric::unscaled;
