"""A migration that is committed is never edited: somewhere it is applied."""

from __future__ import annotations

import hashlib
from typing import Final

from dal.provision import packaged

# Of the file and its rollback, one after the other. A new migration gets a line; no line changes.
RELEASED: Final = {
    "0001.create-users": ("1a218bf3a40c248c92a98ee5400de7d3f1556c6dfca11f88d3bba76da0fd3ef0"),
    "0002.create-categories": ("4e4327df8b4fad0e0c5682a235d9cb6dc319b76880e749cdaecec31f2778a3c7"),
    "0003.create-tags": ("fcc83f4ae2b28ed6b13b0cfdbe04157d2a2c56d0c32c161f28f9e2deb82007dd"),
    "0004.create-templates": ("bded6bd86c76e9d7a7306b7c0c1b7dd059d988498f617927e402ed48833dce35"),
    "0005.create-template-versions": (
        "ffb5b526c41524a7c51ceb27e7b2663ab277e8e3b01ea1a08353a042db78215b"
    ),
    "0006.create-template-tags": (
        "e2cce2c7de3d80ddb008ca55a798c324fa830a0f0ae8920cf15f3afd1efa881d"
    ),
    "0007.create-audit-logs": ("47b46b748bb59d57d92a144d84237143f3aabed3b00cf61883aaeaadfeae1745"),
    "0008.create-user-tokens": ("d3819691801bd9ffbb5b9de5320bd96c488bbe5ebc6955bd916c8a20d1088c1c"),
    "0009.create-template-labels": (
        "9dedc541aaf8a9d78c965ffd183a06968ff87e33e12947d72601345ee1e51ce7"
    ),
    "0010.create-template-label-moves": (
        "be3a91037886ff80f6acd20296de9afd2c04f962b98d44f6b9da8b8c9d03958b"
    ),
    "0011.create-template-ratings": (
        "fc0d51b02037776d7a63cefaac6a25bb96140103cbfda6765e44fab13f147fe1"
    ),
    "0012.create-template-postings": (
        "99e22ff47c51ebda34c72a90af10c6066aa914d9e5d5f2ffc4d210b222f22519"
    ),
    "0013.create-search-terms": (
        "5fbb2a7065c314a4b35bd75b6dc82bf0d6ba116033366853f116dd9d08bb381c"
    ),
    "0014.create-search-corpora": (
        "e24299dfc0772d4b016acb3d09e118fd6d07076153197ac1ca68a9d571bca77b"
    ),
    "0015.create-conversations": (
        "ba8ff21bb96d34536988a3422793a4122a26414b3ae6bc4be411837a34a7588c"
    ),
    "0016.create-conversation-participants": (
        "a7cc9cee7b55f76ba4a8b0866e420641d22b4970c2f01be8197ead76bcb5a3fc"
    ),
    "0017.create-prompts": ("e9c2de620d7ef36437fa17ce15d04637a57943adcace7a8313b6ebb19e98b99c"),
    "0018.create-conversation-shares": (
        "61da7e1988d7c6f883e75d43ffb7149fd75d375de91eb99025e89cc68e027aa0"
    ),
    "0019.add-conversations-keys": (
        "e7d3e03ee240a29d2bc2015dbbe5df71831c9ca995e17ecad188f51d0a53a50b"
    ),
    "0020.add-conversation-participants-pinned": (
        "4cbf5bd5ebe0a325b9af419df7bfb7c5f877b1f8cd5b54eba5eeb6e664071f0b"
    ),
    "0021.create-prompt-postings": (
        "445f792daae581af96d33d0ef581bb4eec60fc234d7f671d5ef82f0e1eecc7b2"
    ),
    "0022.widen-conversations-cost": (
        "8319284e9424c9b11b4a922bc563338e60043765f6b404cdeb8e2c2d2b1fa473"
    ),
    "0023.add-prompts-processing": (
        "ec22500efeaebf2dfcb7b9897128e286d4561c1bf689107b5bdbfccf9960727c"
    ),
    "0024.add-prompts-parent": ("a2839a678b94c64cc1e47e1968d084487722c7b4967b7c49f953998a98323051"),
    "0025.fill-prompts-status": (
        "02a0bf4165857b9f8960021e08784e95bdebb9ad3d52acbee95dad4fabc1ce92"
    ),
    "0026.add-prompts-lease": ("dc086a32a3ea00ceee9a1b7b157d03306d775dacadef1f97c080a2396e778b7d"),
    "0027.add-conversations-fork": (
        "6ecd58cf3bc8ca7ed7964a1cbb0efddd7ea43abef0ad1b7571ea0281dbb00ce6"
    ),
    "0028.create-model-prices": (
        "fad4d1f47725e010e5a8cb49637c109a2d2533dd354cb0d2114ee21017ee41af"
    ),
    "0029.create-usage-records": (
        "d8b4d53c13c8919174e353ea0d6694323be07c19a0d740aa642d7ac3d101af9d"
    ),
    "0030.create-usage-items": ("d8d1c49feb39094571b2b97c51d7d70d92a754ee5c107c43c66f8309d7efbde3"),
    "0031.create-usage-days": ("6bae33a03045b1da3e540de5d490d60ab7f027d1ac109d00160a40555c007e49"),
    "0032.add-prompts-variations": (
        "c1a3f3a681e5dcc906d315b73f83fffc757a276037853d1a1a4d35240593ea69"
    ),
    "0033.add-usage-records-rating": (
        "b04b1cf2614f7a5866eb5d1618ae626f1ebdc75d63fb3c9afc4eaae88fc8e255"
    ),
    "0034.add-audit-logs-category": (
        "c7b46d9867c55c7e4f978c8fd5639ebbae30477ca647fa9ff16c1950f8fea2b4"
    ),
    "0035.fill-audit-logs-category": (
        "13ac57365ac03f4af45290aae3a50ad4354715a9e49e05adf1023cfbbfa43e17"
    ),
    "0036.create-audit-seals": ("9e02affe953915c2642103b098c7dfe6089ccc3de88d2590a05b46df75115132"),
    "0037.create-audit-seal-entries": (
        "31b81ba8410ce7ed0af5bcc1ae1ec34592b6c01552fca97dd41349a04601ed56"
    ),
    "0038.create-audit-checkpoints": (
        "b983721ab86c020f07470cdacace0c507936d5e360cccfcd9f24c8dcd4ef34e8"
    ),
    "0039.create-audit-holds": ("46d509cedb9da38f2edee5428fdf20e6e50c6d5b040ec7b7de40fcd33bfba49c"),
}


def test_no_migration_was_edited() -> None:
    found = {}
    for file in sorted(packaged("migrations").glob("*.sql")):
        if not file.name.endswith(".rollback.sql"):
            rollback = file.with_name(f"{file.stem}.rollback.sql")
            found[file.stem] = hashlib.sha256(file.read_bytes() + rollback.read_bytes()).hexdigest()
    assert found == RELEASED
