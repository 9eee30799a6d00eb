//! A mistake on purpose: four bytes that only a fuzzer guided by coverage finds, then a read behind
//! the end of an allocation that only a sanitizer sees. A run that does not find it proves nothing.
#![no_main]

use foundation_fuzz::Script;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let mut script = Script::new(input);
    if script.byte() == b'f' && script.byte() == b'u' && script.short() == 0x7a7a {
        let claimed = 64 + usize::from(script.byte());
        let payload = vec![1_u8; 64];
        // SAFETY: none: believing the claim is the mistake.
        std::hint::black_box(unsafe { payload.as_ptr().add(claimed).read_volatile() });
    }
});
