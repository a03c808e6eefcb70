"""Lantern Street: a repair café, on an ordinary week."""

from __future__ import annotations

from typing import Final

from local.seed.scene import Aside, Line, Part, Room, Scene, Someone

_ALL: Final = ("mira", "tomasz", "ines", "jun", "odette", "sami", "pell")

_PEOPLE: Final = {
    "mira": Someone(
        "mira.lantern",
        "Mira Okonkwo",
        "Founded this place with one screwdriver and no plan. We now have forty screwdrivers.",
    ),
    "tomasz": Someone(
        "tomasz.lantern", "Tomasz Wren", "Clocks, radios, anything that ticks when it should not."
    ),
    "ines": Someone(
        "ines.lantern", "Inês Falk", "Sewing machines and trousers. I judge seams in public."
    ),
    "jun": Someone("jun.lantern", "Jun Abara", "Firmware by day, toasters by night."),
    "odette": Someone(
        "odette.lantern", "Odette Marsh", "Eighty-one. I bring the cake, and the broken things."
    ),
    "sami": Someone(
        "sami.lantern", "Sami Brandt", "Bicycles. Yes, yours too. No, it is not just the chain."
    ),
    "pell": Someone("pell.lantern", "Pell", "Apprentice. I hold the torch."),
}

_WELCOME: Final = Room(
    "welcome",
    "Who we are, and how a Saturday goes.",
    (
        Line(
            "mira",
            "Welcome to the Lantern Street Repair Café. Every Saturday, ten to four, in the old "
            "print shop. Bring what is broken; we look at it together. You are not dropping it "
            "off. You hold the other end.",
            {"🏮": _ALL[1:]},
            pinned=True,
        ),
        Line(
            "mira",
            "Three house rules:\n"
            "1. It was already broken, so be brave.\n"
            "2. Every screw goes in the tray. *Every* screw.\n"
            "3. Whoever says “it should be easy” makes the tea.",
            {"☕": ("jun", "sami", "pell"), "👍": ("ines", "tomasz")},
            pinned=True,
        ),
        Line("pell", "Hello. I said “it should be easy” in my first minute. Who takes milk?"),
        Line(
            "odette",
            "I do, dear, and two sugars. You will go far.",
            {"❤️": ("pell", "mira")},
            answers="Hello. I said",
        ),
        Line("sami", "For the record, Pell makes good tea. This is how apprentices get trapped."),
    ),
)

_BENCH: Final = Room(
    "the-bench",
    "What is open on the table right now.",
    (
        Line(
            "odette",
            "My radio from 1962 has begun to speak again, but only Portuguese. It is in Kent.",
            {"😂": ("jun", "sami", "pell"), "📻": ("tomasz",)},
        ),
        Line("ines", "Finally somebody to talk to.", {"🇵🇹": ("odette",)}, answers="My radio"),
        Line(
            "tomasz",
            "That is short wave, bouncing off the sky at night. Nothing is broken, Odette. You "
            "own a very good radio and a stuck dial. Ten minutes and some contact cleaner.",
            answers="My radio",
        ),
        Line("odette", "Then leave it stuck until Sunday. There is a play on."),
        Line(
            "jun",
            "Toaster number nine: pops at random. The thermostat is fine. The timer is fine. I am "
            "beginning to think it has opinions.",
        ),
        Line("sami", "Crumbs?", answers="Toaster number nine"),
        Line("jun", "I have a degree in this, Sami."),
        Line(
            "jun",
            "It was crumbs.",
            {"🍞": ("sami", "mira", "pell", "odette"), "🫡": ("tomasz",)},
            pinned=True,
        ),
        Line(
            "pell",
            "I soldered my first joint today! It looks like a small grey potato, but the torch "
            "works again. I now hold a torch that I mended.",
            {"🎉": ("mira", "tomasz", "jun", "odette"), "🥔": ("sami", "ines")},
        ),
        Line(
            "tomasz",
            "A potato that conducts is a joint. Next week: a smaller potato.",
            answers="I soldered my first",
        ),
        Line(
            "ines",
            "Somebody put the zip foot of the Singer in the box marked “misc, do not open”. I "
            "opened it. We need to talk as a community.",
            {"👀": ("mira", "jun")},
        ),
        Line("mira", "That box is why there is a rule about trays.", answers="Somebody put"),
    ),
)

_AFTER: Final = Room(
    "before-and-after",
    "One line on what it was, one on what it is. No gloating (some gloating).",
    (
        Line(
            "sami",
            "**Before:** “It makes a noise.”\n**After:** It makes a different noise, and that one "
            "is the bell. Which did not work before either.",
            {"🔔": ("mira", "odette", "pell")},
        ),
        Line(
            "ines",
            "**Before:** wedding dress, 1987, with sleeves you could hide a child in.\n"
            "**After:** wedding dress, next Saturday, and two very good cushions.",
            {"😍": ("mira", "odette", "pell", "tomasz")},
            pinned=True,
        ),
        Line(
            "tomasz",
            "**Before:** a mantel clock that lost eleven minutes a day.\n**After:** one that loses "
            "four seconds. The owner says she misses the eleven minutes.",
            {"⏳": ("mira", "jun")},
        ),
        Line("mira", "Somebody write that one on the wall.", answers="**Before:** a mantel"),
        Line(
            "jun",
            "Tally for the quarter: 143 things came in, 118 went home working, 19 went home "
            "understood, 6 went to the shelf of honour. About 400 kg that nobody threw away.",
            {"🎉": _ALL[:3] + _ALL[4:], "♻️": ("sami", "pell")},
            pinned=True,
        ),
    ),
)

_PARTS: Final = Room(
    "parts-wanted",
    "You need it, somebody has three of them in a drawer.",
    (
        Line(
            "sami", "Wanted: a left crank, square taper, 170 mm. I have six right ones. Do not ask."
        ),
        Line("pell", "Why do you have six right ones?", answers="Wanted: a left"),
        Line("sami", "…", {"😂": ("mira", "ines", "jun", "odette")}),
        Line(
            "tomasz",
            "Wanted: a mainspring, 18 mm wide. Offered: a cuckoo without a clock. It is a fine "
            "cuckoo. It has simply outlived its house.",
        ),
        Line(
            "odette",
            "I have the house! The cuckoo left in 1994.",
            {"🐦": ("tomasz", "mira", "pell", "ines"), "😮": ("jun",)},
            answers="Wanted: a mainspring",
        ),
        Line("tomasz", "Odette. Bring it on Saturday. I am not crying, it is the flux."),
    ),
)

_CAKE: Final = Room(
    "cake",
    "Minutes of the committee.",
    (
        Line(
            "odette",
            "This Saturday: lemon drizzle, and a ginger loaf for those who cannot have egg. The "
            "oven is right by now, thank you Jun. It used to think it was in Fahrenheit.",
            {"🍋": ("mira", "pell", "sami"), "😋": ("tomasz", "ines")},
        ),
        Line("jun", "For thirty years it baked at twice the temperature, and you just… coped?"),
        Line("odette", "I stood closer.", {"😂": _ALL[:4] + _ALL[5:]}, answers="For thirty years"),
        Line(
            "pell",
            "Motion: the last slice goes to whoever sweeps. Seconded by me, the person who sweeps.",
            {"✋": ("ines", "odette", "sami")},
        ),
        Line("mira", "Carried. Long live the broom.", answers="Motion:"),
    ),
)

_KEYS: Final = Room(
    "keyholders",
    "Opening, closing, money, and the alarm nobody understands.",
    (
        Line(
            "mira",
            "The alarm code is not written here, and will not be. It is written where it always "
            "was. If you do not know where that is, ask me at the door.",
            pinned=True,
        ),
        Line(
            "tomasz",
            "Donations box: 212.40, one button, and a very kind note. Deposited two of the three.",
        ),
        Line("ines", "Keep the button. I know whose it is."),
    ),
    only="Keyholder",
)

_ASIDES: Final = (
    Aside(
        ("pell", "tomasz"),
        (
            Line("pell", "Is it strange that I want to do this for a living?"),
            Line(
                "tomasz", "It is strange that so few do. Come on Thursday, I have a church clock."
            ),
            Line("pell", "A CHURCH CLOCK", {"⛪": ("tomasz",)}),
        ),
    ),
    Aside(
        ("mira", "ines", "jun", "sami"),
        (
            Line(
                "mira",
                "Odette turns 82 on the 14th. The cuckoo clock has to be ready, and Tomasz "
                "must not tell her, which is the hard part.",
            ),
            Line("sami", "I can carve a new leaf for the roof. I found a use for a right crank."),
            Line("jun", "I could make the cuckoo say something."),
            Line("ines", "No firmware in the bird, Jun.", {"🐦": ("mira", "sami")}),
        ),
    ),
)

SCENE: Final = Scene(
    name="Lantern Street Repair Café",
    about="Bring what is broken and somebody who can hold a torch. There is cake.",
    people=_PEOPLE,
    parts=(
        Part(
            "Keyholder",
            0xE0A030,
            ("mira", "tomasz", "ines"),
            ("PERMISSION_MANAGE_MESSAGES", "PERMISSION_CREATE_INVITES", "PERMISSION_PIN_MESSAGES"),
        ),
        Part("Fixer", 0x2F9E77, ("tomasz", "ines", "jun", "sami"), ("PERMISSION_PIN_MESSAGES",)),
        Part("Cake committee", 0xD9568A, ("odette",)),
        Part("Apprentice", 0x6C8CD5, ("pell",)),
    ),
    rooms=(_WELCOME, _BENCH, _AFTER, _PARTS, _CAKE, _KEYS),
    asides=_ASIDES,
)
