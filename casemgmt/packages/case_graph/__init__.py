"""The case as a CASE/UCO 1.5 graph (JSON-LD): what other tools of digital forensics read. docs/spec/case.md."""
