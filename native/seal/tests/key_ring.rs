//! Changing secrets, and keeping them out of sight.

use foundation_seal::{AuthKey, Exchange, KEYS_MAX, Key, KeyError, KeyRing, Schedule};

fn key(name: &str) -> Key {
    Key::new(format!("a secret of some length, {name}").as_bytes()).unwrap()
}

fn ring() -> KeyRing {
    KeyRing::new(["a secret of some length, old"]).unwrap()
}

#[test]
fn a_secret_changes_in_three_steps() {
    let mut ring = ring();
    let (old, new) = (key("old"), key("new"));
    ring.add(new.clone()).unwrap();
    assert_eq!(ring.primary(), Some(&old));
    assert_eq!(ring.find(new.id()), Some(&new));
    ring.use_for_new(&new.fingerprint()).unwrap();
    assert_eq!(ring.fingerprints(), [new.fingerprint(), old.fingerprint()]);
    ring.remove(&old.fingerprint()).unwrap();
    assert_eq!((ring.find(old.id()), ring.primary()), (None, Some(&new)));
}

#[test]
fn the_key_in_use_stays() {
    let mut ring = ring();
    assert_eq!(ring.remove(&key("old").fingerprint()), Err(KeyError::InUse));
}

#[test]
fn an_unknown_key_is_neither_used_nor_removed() {
    let mut ring = ring();
    let fingerprint = key("other").fingerprint();
    assert_eq!(ring.use_for_new(&fingerprint), Err(KeyError::Unknown));
    assert_eq!(ring.remove(&fingerprint), Err(KeyError::Unknown));
}

#[test]
fn a_key_that_is_added_again_keeps_its_place() {
    let mut ring = ring();
    ring.add(key("new")).unwrap();
    ring.add(key("old")).unwrap();
    assert_eq!(ring.fingerprints().len(), 2);
}

#[test]
fn a_ring_has_a_largest_size() {
    let mut ring = ring();
    for number in 1..KEYS_MAX {
        ring.add(key(&number.to_string())).unwrap();
    }
    assert_eq!(ring.add(key("one more")), Err(KeyError::Full));
}

#[test]
fn a_node_without_a_secret_does_not_get_one_later() {
    assert_eq!(KeyRing::default().add(key("new")), Err(KeyError::NoSecret));
}

#[test]
fn a_short_secret_is_refused() {
    assert_eq!(Key::new(b"fifteen bytes..").unwrap_err(), KeyError::TooShort);
    assert_eq!(KeyRing::new(["short"]).unwrap_err(), KeyError::TooShort);
}

#[test]
fn nothing_secret_is_printed() {
    let key = key("old");
    let auth = AuthKey::from(&key);
    let schedule = Schedule::new(&auth, None, b"d", b"a");
    let printed = format!("{:?} {auth:?} {schedule:?} {:?}", ring(), Exchange::new(&[1; 32]));
    assert_eq!(
        printed,
        format!(
            "KeyRing {{ keys: [Key({})] }} AuthKey Schedule {{ .. }} Exchange {{ .. }}",
            key.fingerprint()
        )
    );
}
