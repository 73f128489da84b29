//! What the view of a text tells, and the text behind it.
use arrow_buffer::Buffer;

/// The length of a view's text.
#[inline(always)]
pub fn length(view: u128) -> usize {
    view as u32 as usize
}

/// A view holds the whole of a text up to this length.
pub const INLINE: usize = 12;

/// The bytes of a view's text where they do not lie in the view itself.
#[inline(always)]
pub fn bytes(view: u128, buffers: &[Buffer]) -> &[u8] {
    let (buffer, offset) = ((view >> 64) as u32 as usize, (view >> 96) as u32 as usize);
    buffers.get(buffer).and_then(|bytes| bytes.get(offset..offset + length(view))).unwrap_or_default()
}

/// A view of bytes in the first buffer as one of the same bytes in the buffer of a number.
#[inline(always)]
pub fn in_buffer(view: u128, number: u32) -> u128 {
    let number = if length(view) > INLINE { number } else { 0 };
    view | u128::from(number) << 64
}

/// Whether the texts of two views are the same.
#[inline(always)]
pub fn are_same(a: u128, b: u128, buffers: &[Buffer]) -> bool {
    a == b || (a as u64 == b as u64 && length(a) > INLINE && are_equal(bytes(a, buffers), bytes(b, buffers)))
}

/// Whether bytes of one length are equal: two loads that overlap compare 8 to 16 of them without a call.
#[inline(always)]
pub fn are_equal(bytes: &[u8], others: &[u8]) -> bool {
    let ends = |bytes: &[u8]| Some((*bytes.first_chunk::<8>()?, *bytes.last_chunk::<8>()?));
    match (ends(bytes), ends(others)) {
        (Some(own), Some(other)) if bytes.len() <= 16 => own == other,
        _ => bytes == others,
    }
}
