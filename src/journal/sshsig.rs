//! OpenSSH's signature format for files, for ed25519 keys: what `ssh-keygen -Y sign` makes and
//! `ssh-keygen -Y verify` checks. Source: OpenSSH's PROTOCOL.sshsig.

use std::cell::Cell;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256, Sha512};

/// The namespace that every signature of ours names, so that none can be used for another purpose.
pub const NAMESPACE: &str = "casework";
const MAGIC: &[u8; 6] = b"SSHSIG";
const VERSION: u32 = 1;
const KEY_TYPE: &[u8] = b"ssh-ed25519";
const HASH: &[u8] = b"sha512";

/// Signs `message`; the result is the binary form, which [`armored`] puts between its dashes.
pub fn sign(key: &SigningKey, message: &[u8]) -> Vec<u8> {
    let signature = key.sign(&signed_data(message));
    let mut out = Vec::with_capacity(192);
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&VERSION.to_be_bytes());
    string(&mut out, &public_blob(&key.verifying_key()));
    string(&mut out, NAMESPACE.as_bytes());
    string(&mut out, b"");
    string(&mut out, HASH);
    let mut inner = Vec::with_capacity(83);
    string(&mut inner, KEY_TYPE);
    string(&mut inner, &signature.to_bytes());
    string(&mut out, &inner);
    out
}

/// Whether `signature` is `public`'s over `message`, in our namespace. Strict: all replicas must
/// agree on which signatures are good, so no malleable form is taken.
pub fn verify(public: &[u8; 32], message: &[u8], signature: &[u8]) -> bool {
    claim(public, message, signature).is_some_and(|claim| claim.holds())
}

/// What a signature of the right shape says: that the holder of a key signed some bytes.
pub struct Claim {
    key: VerifyingKey,
    signed: Vec<u8>,
    signature: Signature,
}

impl Claim {
    pub fn holds(&self) -> bool {
        self.key.verify_strict(&self.signed, &self.signature).is_ok()
    }
}

/// What `signature` says, if it has the shape of `public`'s in our namespace.
pub fn claim(public: &[u8; 32], message: &[u8], signature: &[u8]) -> Option<Claim> {
    let (key, raw) = parts(signature)?;
    let verifying = point_of(public)?;
    (key == *public).then(|| Claim {
        key: verifying,
        signed: signed_data(message),
        signature: Signature::from_bytes(&raw),
    })
}

/// The key that a signature of ours says it is by.
pub fn key_of(signature: &[u8]) -> Option<[u8; 32]> {
    parts(signature).map(|(key, _)| key)
}

/// Whether all of `claims` hold, in half the time that one by one takes. Who has a key could make
/// a signature of it with a part of small order, which may pass here and not alone: that is why
/// what arrives is checked one by one, and only what stands is checked again like this.
pub fn all_hold(claims: &[&Claim]) -> bool {
    let signed: Vec<&[u8]> = claims.iter().map(|claim| claim.signed.as_slice()).collect();
    let signatures: Vec<Signature> = claims.iter().map(|claim| claim.signature).collect();
    let keys: Vec<VerifyingKey> = claims.iter().map(|claim| claim.key).collect();
    ed25519_dalek::verify_batch(&signed, &signatures, &keys).is_ok()
}

thread_local! {
    /// The key that was asked for last: the entries of a chain all have the same one, and to find
    /// its point is a good part of checking a signature.
    static LAST: Cell<Option<VerifyingKey>> = const { Cell::new(None) };
}

/// The point that a public key is.
fn point_of(public: &[u8; 32]) -> Option<VerifyingKey> {
    if let Some(last) = LAST.get().filter(|last| last.as_bytes() == public) {
        return Some(last);
    }
    let found = VerifyingKey::from_bytes(public).ok()?;
    LAST.set(Some(found));
    Some(found)
}

/// The key and the raw signature, if `blob` is exactly what [`sign`] writes.
fn parts(blob: &[u8]) -> Option<([u8; 32], [u8; 64])> {
    let mut rest = blob.strip_prefix(MAGIC)?.strip_prefix(&VERSION.to_be_bytes())?;
    let mut public = take(&mut rest)?;
    let fixed = [NAMESPACE.as_bytes(), b"", HASH];
    for expect in fixed {
        if take(&mut rest)? != expect {
            return None;
        }
    }
    let mut inner = take(&mut rest)?;
    let shaped = take(&mut public)? == KEY_TYPE && take(&mut inner)? == KEY_TYPE && rest.is_empty();
    let key = take(&mut public)?.try_into().ok()?;
    let raw = take(&mut inner)?.try_into().ok()?;
    (shaped && public.is_empty() && inner.is_empty()).then_some((key, raw))
}

/// The text form that `ssh-keygen` reads.
pub fn armored(signature: &[u8]) -> String {
    let text = STANDARD.encode(signature);
    let mut out = String::from("-----BEGIN SSH SIGNATURE-----\n");
    for line in text.as_bytes().chunks(70) {
        out.push_str(std::str::from_utf8(line).unwrap_or_default());
        out.push('\n');
    }
    out.push_str("-----END SSH SIGNATURE-----\n");
    out
}

/// The binary form of what [`armored`] writes, or `ssh-keygen -Y sign`.
pub fn unarmored(text: &str) -> Option<Vec<u8>> {
    let (_, rest) = text.split_once("-----BEGIN SSH SIGNATURE-----")?;
    let (body, _) = rest.split_once("-----END SSH SIGNATURE-----")?;
    let body: String = body.chars().filter(|c| !c.is_whitespace()).collect();
    STANDARD.decode(body).ok()
}

/// The body of the key that a signature says it is by.
pub fn signer(signature: &[u8]) -> Option<Vec<u8>> {
    let mut rest = signature.strip_prefix(MAGIC)?.strip_prefix(&VERSION.to_be_bytes())?;
    take(&mut rest).map(<[u8]>::to_vec)
}

/// The public key as it stands in an `allowed_signers` or `.pub` file.
pub fn public_line(public: &[u8; 32]) -> String {
    let mut blob = Vec::with_capacity(51);
    string(&mut blob, KEY_TYPE);
    string(&mut blob, public);
    format!("ssh-ed25519 {}", STANDARD.encode(blob))
}

/// The key's fingerprint as `ssh-keygen -l` shows it.
pub fn fingerprint(public: &[u8; 32]) -> String {
    let mut blob = Vec::with_capacity(51);
    string(&mut blob, KEY_TYPE);
    string(&mut blob, public);
    format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(&blob)))
}

fn public_blob(key: &VerifyingKey) -> Vec<u8> {
    let mut blob = Vec::with_capacity(51);
    string(&mut blob, KEY_TYPE);
    string(&mut blob, key.as_bytes());
    blob
}

fn signed_data(message: &[u8]) -> Vec<u8> {
    let mut data = Vec::with_capacity(112);
    data.extend_from_slice(MAGIC);
    string(&mut data, NAMESPACE.as_bytes());
    string(&mut data, b"");
    string(&mut data, HASH);
    string(&mut data, &Sha512::digest(message));
    data
}

/// SSH's string: its length in four bytes, then its bytes.
fn string(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    out.extend_from_slice(bytes);
}

fn take<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, after) = rest.split_first_chunk::<4>()?;
    let (bytes, left) = after.split_at_checked(u32::from_be_bytes(*length) as usize)?;
    *rest = left;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_good_for_its_key_and_message_only() {
        let key = SigningKey::from_bytes(&[3; 32]);
        let public = key.verifying_key().to_bytes();
        let good = sign(&key, b"body");
        assert!(verify(&public, b"body", &good));
        assert!(!verify(&public, b"bodY", &good));
        assert!(!verify(
            &SigningKey::from_bytes(&[4; 32]).verifying_key().to_bytes(),
            b"body",
            &good
        ));
        for i in 0..good.len() {
            let mut bad = good.clone();
            bad[i] ^= 1;
            assert!(!verify(&public, b"body", &bad), "byte {i}");
        }
        assert!(!verify(&public, b"body", &good[..good.len() - 1]));
    }

    #[test]
    fn many_hold_together_only_if_each_holds_alone() {
        let claims = |bad: Option<usize>| -> Vec<Claim> {
            (0..300_usize)
                .filter_map(|i| {
                    let key = SigningKey::from_bytes(&[(i % 7) as u8; 32]);
                    let signature = sign(&key, &i.to_be_bytes());
                    let body = if bad == Some(i) { i + 1 } else { i };
                    claim(&key.verifying_key().to_bytes(), &body.to_be_bytes(), &signature)
                })
                .collect()
        };
        assert!(all_hold(&[]));
        let good = claims(None);
        assert_eq!(good.len(), 300);
        assert!(all_hold(&good.iter().collect::<Vec<_>>()) && good.iter().all(Claim::holds));
        for at in [0, 150, 299] {
            let bad = claims(Some(at));
            assert!(!all_hold(&bad.iter().collect::<Vec<_>>()), "claim {at}");
            assert_eq!(bad.iter().position(|claim| !claim.holds()), Some(at));
        }
    }
}
