package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// ask: URL LOG-PRIVATE-KEY WITNESS-VKEY. A log of this program's own asks the witness and insists on every answer.
func ask(args []string) error {
	url, witness := args[0], args[2]
	signer, err := note.NewSigner(args[1])
	if err != nil {
		return err
	}
	const size = 300
	good, err := grown(size, -1)
	if err != nil {
		return err
	}
	rewritten, err := grown(size, 3)
	if err != nil {
		return err
	}
	asks := []struct {
		old, size int64
		tree      *tree
		status    int
		body      string
	}{
		{0, 1, good, 200, ""},
		{1, 2, good, 200, ""},
		{2, 2, good, 200, ""},
		{0, 7, good, 409, "2\n"},
		{2, 7, good, 200, ""},
		{7, 8, rewritten, 422, ""},
		{7, 7, rewritten, 422, ""},
		{9, 8, good, 400, ""},
		{7, 255, good, 200, ""},
		{255, 256, good, 200, ""},
		{256, 300, rewritten, 422, ""},
		{7, 299, good, 409, "256\n"},
		{256, 300, good, 200, ""},
	}
	for _, a := range asks {
		body, text, err := request(a.tree, a.old, a.size, signer)
		if err != nil {
			return err
		}
		response, err := http.Post(url+"/add-checkpoint", "", bytes.NewReader(body))
		if err != nil {
			return err
		}
		answer, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil {
			return err
		}
		what := fmt.Sprintf("from %d to %d", a.old, a.size)
		if response.StatusCode != a.status {
			return fmt.Errorf("%s: expected %d, got %d: %s", what, a.status, response.StatusCode, answer)
		}
		if a.body != "" && (string(answer) != a.body || response.Header.Get("Content-Type") != "text/x.tlog.size") {
			return fmt.Errorf("%s: expected the size %q, got %q", what, a.body, answer)
		}
		if a.status == 200 {
			if _, err := opened([]byte(text+"\n"+string(answer)), []string{witness}); err != nil {
				return fmt.Errorf("%s: %v", what, err)
			}
		}
	}
	fmt.Printf("%d requests were answered as the specification says\n", len(asks))
	return nil
}

func request(t *tree, old, size int64, signer note.Signer) ([]byte, string, error) {
	root, err := tlog.TreeHash(size, t)
	if err != nil {
		return nil, "", err
	}
	encoded := base64.StdEncoding.EncodeToString(root[:])
	text := fmt.Sprintf("%s\n%d\n%s\n", signer.Name(), size, encoded)
	signed, err := note.Sign(&note.Note{Text: text}, signer)
	if err != nil {
		return nil, "", err
	}
	var lines strings.Builder
	fmt.Fprintf(&lines, "old %d\n", old)
	if 0 < old && old < size {
		proof, err := tlog.ProveTree(size, old, t)
		if err != nil {
			return nil, "", err
		}
		for _, h := range proof {
			lines.WriteString(base64.StdEncoding.EncodeToString(h[:]) + "\n")
		}
	}
	return []byte(lines.String() + "\n" + string(signed)), text, nil
}
