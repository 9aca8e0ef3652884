module casemgmt.invalid/tlogpeer

go 1.24.0

require (
	golang.org/x/crypto v0.38.0
	golang.org/x/mod v0.24.0
)

require golang.org/x/sys v0.33.0 // indirect
