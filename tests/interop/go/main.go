// Command tlogpeer checks what casemgmt writes, and asks its witness, with code that is not ours: Go's sumdb/tlog for
// trees and proofs, sumdb/note for signed notes. Only the cosignature/v1 message and the request lines are written here.
package main

import (
	"fmt"
	"os"
)

func main() {
	commands := map[string]func([]string) error{
		"proofs": proofs, // every proof of the trees of "entry 0", "entry 1", ...
		"note":   open,   // a note on standard input, opened with the keys given
		"proof":  check,  // a tlog-proof on standard input, checked for an entry
		"ask":    ask,    // a log of its own that asks a witness
		"agent":  agent,  // an ssh-agent with one Ed25519 key, for litewitness
	}
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: tlogpeer proofs|note|proof|ask|agent ...")
		os.Exit(2)
	}
	if err := commands[os.Args[1]](os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "tlogpeer:", err)
		os.Exit(1)
	}
}
