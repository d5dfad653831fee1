//! What people write to the parcel desk.

/// Sentences by label. `{n}` is a parcel's number, `{p}` a place, `{d}` a day.
pub const BY_LABEL: &[(&str, &[&str])] = &[
    (
        "track_parcel",
        &[
            "where is my parcel {n}",
            "can you tell me how far parcel {n} has come",
            "i would like to follow {n}",
            "the app shows nothing for {n}, where is it now",
            "has {n} left {p} yet",
            "is {n} still on the van",
        ],
    ),
    (
        "delivery_late",
        &[
            "{n} was promised for {d} and is not here",
            "still waiting, it should have come {d}",
            "how much longer for {n}, it is days late",
            "you said {d}. it is past {d}",
            "my delivery from {p} is overdue",
        ],
    ),
    (
        "change_address",
        &[
            "please bring {n} to {p} instead",
            "i have moved to {p}, can the parcel still be rerouted",
            "wrong house number on {n}, it should be 14",
            "can the driver leave it with my neighbour in {p}",
            "send it to my office on {d}",
        ],
    ),
    (
        "pickup_request",
        &[
            "can somebody collect two boxes in {p} on {d}",
            "i need a pickup for {d} morning",
            "please fetch a return from my door",
            "book a collection in {p}",
        ],
    ),
    (
        "damaged_parcel",
        &[
            "the box arrived wet and the lamp is broken",
            "{n} looks as if it was run over",
            "everything inside {n} is smashed, i have photos",
            "one corner is crushed and the glass is cracked",
        ],
    ),
    (
        "lost_parcel",
        &[
            "it says delivered but nobody here has {n}",
            "{n} vanished after {p}",
            "your driver signed for it himself and it is gone",
            "no trace of {n} for two weeks",
        ],
    ),
    (
        "customs_question",
        &[
            "do i pay duty on a guitar from {p}",
            "which form goes with honey to {p}",
            "customs keeps {n}, what do they want",
            "is a battery allowed in a parcel to {p}",
        ],
    ),
    (
        "price_question",
        &[
            "what does 4 kilos to {p} cost",
            "is it cheaper if i bring it to the counter",
            "how much for express on {d}",
            "price for a bicycle box to {p}",
        ],
    ),
    (
        "opening_hours",
        &[
            "when does the shop in {p} close",
            "are you open on {d}",
            "until when can i drop something off today",
            "is the counter in {p} open over lunch",
        ],
    ),
    (
        "refund_request",
        &[
            "i want my express fee back, it came on {d}",
            "how do i get the postage for {n} refunded",
            "charged twice for one label, please return one",
            "money back please, {n} never arrived",
        ],
    ),
    (
        "invoice_copy",
        &[
            "i need the invoice for {n} again",
            "send me all bills of last month please",
            "the receipt lacks our tax number",
        ],
    ),
    (
        "thank_you",
        &[
            "thanks, it is here",
            "great, that was quick",
            "ok thank you, bye",
            "the driver was very kind, please tell her",
        ],
    ),
];

/// What the desk does not handle.
pub const OUT_OF_SCOPE: &[&str] = &[
    "do you have a job for me",
    "will it rain in {p} on {d}",
    "can you call me a taxi to {p}",
    "my kettle makes a strange noise",
    "which train goes to {p}",
    "the other courier lost my letter, can you find it",
    "write a birthday poem for my aunt",
    "who owns your company",
    "is your robot a real person",
    "i want to complain about the mayor",
];

pub const OTHER_LANGUAGE: &[&str] = &[
    "wo bleibt mein paket {n}",
    "mon colis {n} est arrivé cassé",
    "dónde está mi paquete {n}",
    "gdzie jest moja paczka {n}",
    "η παραγγελία μου άργησε",
];

pub const UNREADABLE: &[&str] = &[
    "wh\u{fffd}\u{fffd}e is my p\u{fffd}rc\u{fffd}l",
    "",
    "\u{1b}[2J\u{1b}[31mhello",
    "....",
    "??? ??? ?",
    "\u{202e}lecrap ym si erehw",
];

pub const PLACES: &[&str] =
    &["Lindow", "Harbour Street", "Osterby", "the old mill", "Cape Verona", "Northgate"];
pub const DAYS: &[&str] = &["monday", "tuesday", "thursday", "friday", "saturday"];

/// Why reviewers said what they said, by verdict.
pub const WHY: &[(&str, &[&str])] = &[
    (
        "model_correct",
        &[
            "",
            "clear enough from the words",
            "the message before says the same",
            "right, if barely",
        ],
    ),
    (
        "wrong_label",
        &[
            "",
            "asks for something else",
            "the router fell for one word",
            "read the message before it",
        ],
    ),
    ("out_of_scope", &["not ours", "another firm's parcel", "nothing in the guide covers this"]),
    ("unreadable", &["characters are gone", "nothing to read here"]),
    ("other_language", &["not english", "for the other desk"]),
];
