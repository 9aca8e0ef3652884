"""Step 9: every payload file was received under an event of its own, and what is withheld exists."""

from casemgmt.trust import file_list
from casemgmt.trust.contents import is_report
from casemgmt.trust.errors import PackageError
from casemgmt.trust.file_list import parse_files
from casemgmt.trust.manifest import MANIFEST
from casemgmt.trust.receipts import match_receipts
from casemgmt.trust.verify.examination import MAX_LIST, Examination
from casemgmt.trust.verify.findings import Finding, some
from casemgmt.trust.withheld import FILE


def check_receipts(found: Examination) -> Finding:
    """9. Hash, size, name and time in the file list are those of the entry; every withheld file has its entry."""
    rows = parse_files(found.archive.read(file_list.PATH, MAX_LIST))
    listed = {row.path: row.sha256 for row in rows}
    evidence = {path: sha256 for path, sha256 in found.manifest.items() if not is_report(path)}
    if len(listed) != len(rows) or listed != evidence:
        raise PackageError(f"{file_list.PATH} and {MANIFEST} list different files")
    sizes = {path: found.archive.members[path].size for path in listed}
    different = [row.path for row in rows if row.size != sizes[row.path]]
    if different:
        raise PackageError(f"{file_list.PATH} has another size for {some(different)}")
    hidden = [row for row in found.withheld if row.kind == FILE]
    present = [row.path for row in hidden if row.path in found.archive.members]
    if present:
        raise PackageError(f"said to be withheld, and here: {some(present)}")
    found.left_out = match_receipts(rows, found.streams, hidden)
    words = f"{len(rows)} files, each received under its own event."
    if hidden:
        words += f" {len(hidden)} files are withheld, proved to exist" + _unproved(found)
    return Finding(words)


def _unproved(found: Examination) -> str:
    """Of how many withheld files the entry that received them is withheld too."""
    hidden = sum(row.kind == FILE and row.index in found.leaves for row in found.withheld)
    if not hidden:
        return "."
    return (
        f"; of {hidden} of them the entry that received them is withheld too, and their hashes are the sealer's word."
    )
