//! The encryption of callbacks (developer.work.weixin.qq.com, path 90968).
//!
//! Signature: SHA-1 in hex over token, timestamp, nonce and ciphertext, sorted as bytes and joined. Cipher: AES-256-CBC,
//! key = base64 of the 43 characters with `=`, initial vector = its first 16 bytes, padding PKCS#7 with blocks of 32
//! bytes. Plaintext: 16 random bytes, length as four big-endian bytes, message, receiver.

use aes::Aes256;
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use cbc::cipher::block_padding::NoPadding;
use cbc::cipher::{BlockModeDecrypt as _, BlockModeEncrypt as _, KeyIvInit as _};
use sha1::{Digest as _, Sha1};

use crate::digest::{hex, is_same};

/// Bytes of a block of the padding; the cipher's own blocks are 16.
const PAD: usize = 32;
/// Random bytes before the length.
const RANDOM: usize = 16;

/// What is wrong with a callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CryptoError {
    /// The key is no 43 characters of base64.
    #[error("bad_encoding_aes_key")]
    BadKey,
    /// The signature is not that of the content: another token, or somebody else's message.
    #[error("signature_mismatch")]
    SignatureMismatch,
    /// The ciphertext is no base64, or no whole number of blocks.
    #[error("bad_ciphertext")]
    BadCiphertext,
    /// The padding is not as it should be: another key.
    #[error("bad_padding")]
    BadPadding,
    /// The length does not fit.
    #[error("bad_length")]
    BadLength,
    /// The message is for somebody else.
    #[error("receiver_mismatch")]
    ReceiverMismatch,
}

/// A message and what came with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plain {
    /// The message.
    pub message: Vec<u8>,
    /// Whom it is for.
    pub receiver: Vec<u8>,
    /// The random bytes before it.
    pub random: [u8; RANDOM],
}

/// The keys of an application.
#[derive(Clone)]
pub struct Keys {
    token: String,
    key: [u8; 32],
    receiver: String,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys").field("receiver", &self.receiver).finish_non_exhaustive()
    }
}

/// Base64 whose last character may carry bits that mean nothing, as the keys of real applications do.
fn lenient() -> GeneralPurpose {
    let config = GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(&alphabet::STANDARD, config)
}

impl Keys {
    /// The keys of an application that receives as `receiver`; an empty one accepts every receiver.
    ///
    /// # Errors
    /// When `encoding_aes_key` is no 43 characters of base64.
    pub fn new(token: &str, encoding_aes_key: &str, receiver: &str) -> Result<Self, CryptoError> {
        if encoding_aes_key.len() != 43 {
            return Err(CryptoError::BadKey);
        }
        let bytes = lenient().decode(encoding_aes_key).map_err(|_| CryptoError::BadKey)?;
        let key = bytes.try_into().map_err(|_| CryptoError::BadKey)?;
        Ok(Self { token: token.into(), key, receiver: receiver.into() })
    }

    /// The signature of `encrypted`.
    pub fn signature(&self, timestamp: &str, nonce: &str, encrypted: &str) -> String {
        let mut parts = [self.token.as_str(), timestamp, nonce, encrypted];
        parts.sort_unstable();
        let mut hash = Sha1::new();
        for part in parts {
            hash.update(part.as_bytes());
        }
        hex(&hash.finalize())
    }

    /// Checks the signature, then decrypts, then checks the receiver.
    ///
    /// # Errors
    /// What is wrong; the signature is judged first, in a time that does not tell where it differs.
    pub fn open(&self, signature: &str, timestamp: &str, nonce: &str, encrypted: &str) -> Result<Plain, CryptoError> {
        if !is_same(signature, &self.signature(timestamp, nonce, encrypted)) {
            return Err(CryptoError::SignatureMismatch);
        }
        let plain = self.decrypt(encrypted)?;
        if !self.receiver.is_empty() && plain.receiver != self.receiver.as_bytes() {
            return Err(CryptoError::ReceiverMismatch);
        }
        Ok(plain)
    }

    fn decrypt(&self, encrypted: &str) -> Result<Plain, CryptoError> {
        let mut bytes = lenient().decode(encrypted.trim()).map_err(|_| CryptoError::BadCiphertext)?;
        if bytes.is_empty() || !bytes.len().is_multiple_of(16) {
            return Err(CryptoError::BadCiphertext);
        }
        let cipher = cbc::Decryptor::<Aes256>::new(
            &self.key.into(),
            (&self.key[..16]).try_into().map_err(|_| CryptoError::BadKey)?,
        );
        let plain = cipher.decrypt_padded::<NoPadding>(&mut bytes).map_err(|_| CryptoError::BadCiphertext)?;
        let pad = usize::from(*plain.last().ok_or(CryptoError::BadPadding)?);
        let whole = (1..=PAD).contains(&pad)
            && plain.len() > pad
            && plain[plain.len() - pad..].iter().all(|b| usize::from(*b) == pad);
        if !whole {
            return Err(CryptoError::BadPadding);
        }
        let body = &plain[..plain.len() - pad];
        let (random, rest) = body.split_first_chunk::<RANDOM>().ok_or(CryptoError::BadLength)?;
        let (length, rest) = rest.split_first_chunk::<4>().ok_or(CryptoError::BadLength)?;
        let length = u32::from_be_bytes(*length) as usize;
        if length > rest.len() {
            return Err(CryptoError::BadLength);
        }
        let (message, receiver) = rest.split_at(length);
        Ok(Plain { message: message.to_vec(), receiver: receiver.to_vec(), random: *random })
    }

    /// Encrypts `message` for the receiver, behind `random`.
    pub fn seal(&self, message: &[u8], random: [u8; RANDOM]) -> String {
        let mut bytes = random.to_vec();
        bytes.extend((message.len() as u32).to_be_bytes());
        bytes.extend(message);
        bytes.extend(self.receiver.as_bytes());
        let pad = PAD - bytes.len() % PAD;
        bytes.extend(std::iter::repeat_n(pad as u8, pad));
        let length = bytes.len();
        let mut iv = [0; 16];
        iv.copy_from_slice(&self.key[..16]);
        let cipher = cbc::Encryptor::<Aes256>::new(&self.key.into(), &iv.into());
        match cipher.encrypt_padded::<NoPadding>(&mut bytes, length) {
            Ok(sealed) => lenient().encode(sealed),
            // whole blocks always fit
            Err(_) => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vectors() -> serde_json::Value {
        serde_json::from_str(include_str!("../../../tests/fixtures/wecom.json")).expect("fixture")
    }

    fn text<'a>(v: &'a serde_json::Value, key: &str) -> &'a str {
        v[key].as_str().unwrap_or_default()
    }

    #[test]
    fn published_vectors_open() {
        let all = vectors();
        let positive = all["positive"].as_array().expect("positive");
        assert!(positive.len() >= 4);
        for v in positive {
            let id = text(v, "id");
            let expect = &v["expect"];
            let keys = Keys::new(text(v, "token"), text(v, "encoding_aes_key"), text(expect, "receive_id")).expect(id);
            let plain = keys.open(text(v, "msg_signature"), text(v, "timestamp"), text(v, "nonce"), text(v, "encrypt"));
            let plain = plain.unwrap_or_else(|e| panic!("{id}: {e}"));
            assert_eq!(String::from_utf8_lossy(&plain.message), text(expect, "msg"), "{id}");
            // sealing with the same random bytes gives the same ciphertext
            assert_eq!(keys.seal(&plain.message, plain.random), text(v, "encrypt"), "{id}");
        }
    }

    #[test]
    fn forged_ones_do_not() {
        let all = vectors();
        for v in all["negative"].as_array().expect("negative") {
            let expected = text(&v["expect"], "error");
            let key = if v["encoding_aes_key"].is_null() { &"a".repeat(43) } else { text(v, "encoding_aes_key") };
            let got = Keys::new(text(v, "token"), key, "").and_then(|keys| {
                keys.open(text(v, "msg_signature"), text(v, "timestamp"), text(v, "nonce"), text(v, "encrypt"))
            });
            assert_eq!(got.expect_err("refused").to_string(), expected, "{}", text(v, "id"));
        }
    }

    #[test]
    fn another_receiver_key_or_a_shortened_text_is_refused() {
        let keys =
            |receiver: &str| Keys::new("t", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C", receiver).expect("keys");
        let sealed = keys("corp").seal("你好".as_bytes(), [7; 16]);
        let open = |k: &Keys, text: &str| k.open(&k.signature("1", "n", text), "1", "n", text).map(|p| p.message);
        assert_eq!(open(&keys("corp"), &sealed), Ok("你好".as_bytes().to_vec()));
        assert_eq!(open(&keys("other"), &sealed), Err(CryptoError::ReceiverMismatch));
        assert_eq!(open(&keys("corp"), &sealed[..sealed.len() - 4]), Err(CryptoError::BadCiphertext));
        assert_eq!(open(&keys("corp"), ""), Err(CryptoError::BadCiphertext));
        let stranger = Keys::new("t", &"b".repeat(43), "corp").expect("keys");
        assert!(open(&stranger, &sealed).is_err());
    }
}
