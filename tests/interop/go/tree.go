package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/mod/sumdb/tlog"
)

// tree is an in-memory log: the hashes sumdb/tlog wants stored, in its order.
type tree struct {
	hashes []tlog.Hash
	size   int64
}

func (t *tree) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		found[i] = t.hashes[index]
	}
	return found, nil
}

func (t *tree) append(entry []byte) error {
	stored, err := tlog.StoredHashes(t.size, entry, t)
	if err != nil {
		return err
	}
	t.hashes = append(t.hashes, stored...)
	t.size++
	return nil
}

func grown(n int64, changed int64) (*tree, error) {
	t := &tree{}
	for i := int64(0); i < n; i++ {
		entry := fmt.Sprintf("entry %d", i)
		if i == changed {
			entry = "another"
		}
		if err := t.append([]byte(entry)); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// proofs prints root, inclusion and consistency proofs of every tree below the given size, a line each.
func proofs(args []string) error {
	limit, err := strconv.ParseInt(args[0], 10, 64)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	t, err := grown(limit, -1)
	if err != nil {
		return err
	}
	for n := int64(1); n < limit; n++ {
		root, err := tlog.TreeHash(n, t)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "root %d %x\n", n, root[:])
		for i := int64(0); i < n; i++ {
			proof, err := tlog.ProveRecord(n, i, t)
			if err != nil {
				return err
			}
			line(out, fmt.Sprintf("inclusion %d %d", i, n), proof)
		}
		for old := int64(1); old <= n; old++ {
			proof, err := tlog.ProveTree(n, old, t)
			if err != nil {
				return err
			}
			line(out, fmt.Sprintf("consistency %d %d", old, n), proof)
		}
	}
	return nil
}

func line(out *bufio.Writer, words string, hashes []tlog.Hash) {
	out.WriteString(words)
	for _, h := range hashes {
		fmt.Fprintf(out, " %x", h[:])
	}
	out.WriteByte('\n')
}
