#!/usr/bin/env python3
"""Turn published logs of a cloud account into JSON lines that `dal audit import` reads.

    scripts/cloudtrail.py cloudtrail_invictus       one log, to stdout
    scripts/cloudtrail.py --out build               every log, build/NAME.jsonl each

Every event becomes one entry: who, what, of what, how it ended, from where; what was asked and
answered is in its changes. A user agent of more than 255 characters is cut, a request id of more
than 64 is left out, and that is said. A file that is not what it should be ends the run and names
the line; nothing is written for it.

Exit status: 0 done, 1 a malformed file, 2 wrong usage or no data.
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from datasets import Change, Report, Row, named_line, read_json_lines, run, text

ACTORS = {"AWSService": "system", "IAMUser": "user", "AssumedRole": "user", "Root": "user"}
DENIED = re.compile(r"AccessDenied|Unauthorized")
# What gives a secret out, and what changes who may do what.
DISCLOSING = {"GetSecretValue", "GetParameter", "GetParameters", "Decrypt", "GetPasswordData"}
ACCESS = {"iam", "sts", "organizations", "rolesanywhere", "ram"}
KEPT = (
    "requestParameters",
    "responseElements",
    "errorCode",
    "errorMessage",
    "awsRegion",
    "readOnly",
    "resources",
    "additionalEventData",
    "tlsDetails",
)


@dataclass(frozen=True)
class Trail:
    """A published log: where it is and whom to credit."""

    file: str
    credit: str

    def rows(self, path: Path, report: Report | None = None) -> Iterator[Row]:
        """Yield the events of the file as entries; `report` counts them.

        Raises:
            DataAbsentError: there is no such file.
            DataError: the file is malformed; names file and line.
        """
        seen = report if report is not None else Report(path.name)
        for line, row in read_json_lines(path):
            changes: list[str] = []
            with named_line(path, line):
                entry = entry_of(row, changes.append)
            seen.rows += 1
            seen.add([line], [(change, line) for change in changes], [])
            yield entry


def entry_of(row: Row, change: Change) -> Row:
    """The entry of an event.

    Raises:
        ValueError: it is no event.
    """
    source = text(row, "eventSource").partition(".")[0]
    name = text(row, "eventName")
    identity = row.get("userIdentity")
    who: Row = identity if isinstance(identity, dict) else {}
    arn = who.get("arn") or who.get("principalId")
    agent, request_id = text(row, "userAgent"), row.get("requestID")
    if len(agent) > 255:
        change("user agent cut to 255 characters")
    if isinstance(request_id, str) and len(request_id) > 64:
        change("request id of more than 64 characters left out")
        request_id = None
    resources = row.get("resources")
    of = resources[0] if isinstance(resources, list) and resources else {}
    target = of.get("ARN") if isinstance(of, dict) else None
    category, severity = classes(source, name, row)
    return {
        "id": text(row, "eventID"),
        "occurred_at": text(row, "eventTime").replace("Z", "+00:00"),
        "actor_type": ACTORS.get(str(who.get("type")), "anonymous"),
        "actor_id": str(uuid5(NAMESPACE_URL, str(arn))) if arn else None,
        "actor_name": who.get("userName") or who.get("invokedBy") or who.get("principalId"),
        "action": f"{source}.{name}",
        "target_type": re.sub("[^a-z0-9]", "_", source),
        "target_id": str(uuid5(NAMESPACE_URL, str(target))) if target else None,
        "outcome": outcome(row),
        "affected": 0 if row.get("readOnly") else 1,
        "changes": {key: row[key] for key in KEPT if row.get(key) is not None},
        "request_id": request_id,
        "ip": text(row, "sourceIPAddress"),
        "user_agent": agent[:255],
        "category": category,
        "severity": severity,
    }


def outcome(row: Row) -> str:
    """success, denied or failure."""
    code = row.get("errorCode")
    if code is None:
        return "success"
    return "denied" if DENIED.search(str(code)) else "failure"


def classes(source: str, name: str, row: Row) -> tuple[str, str]:
    """Category and severity of an event."""
    if source == "signin":
        return "authentication", "medium"
    if name in DISCLOSING:
        return "disclosure", "medium"
    reads = bool(row.get("readOnly"))
    if source in ACCESS and not reads:
        return "access", "high"
    return ("access" if source in ACCESS else "data"), ("low" if reads else "medium")


adapters: dict[str, Trail] = {
    "cloudtrail_invictus": Trail(
        file="cloudtrail_invictus.jsonl",
        credit="invictus-ir/aws_dataset, MIT, Copyright (c) 2023 Invictus Incident Response",
    )
}


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and give its exit status."""
    return run("scripts/cloudtrail.py", __doc__, adapters, "entries", arguments)


if __name__ == "__main__":
    sys.exit(main())
