// Verifies a shard of a decision log with the packages that verify Go's checksum database.
//
// Standard input: {"directory", "key", "proofs": [{"index", "leaf", "path"}], "consistency": [{"old", "root", "path"}]}
package main

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type request struct {
	Directory string
	Key       string
	Proofs    []struct {
		Index int64
		Leaf  []byte
		Path  [][]byte
	}
	Consistency []struct {
		Old  int64
		Root []byte
		Path [][]byte
	}
}

type tiles struct{ directory string }

func (t tiles) Height() int { return 8 }

func (t tiles) SaveTiles([]tlog.Tile, [][]byte) {}

func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range wanted {
		// Go writes the height into the path, C2SP does not.
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		data, err := os.ReadFile(filepath.Join(t.directory, path))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

func hashes(path [][]byte) []tlog.Hash {
	out := make([]tlog.Hash, len(path))
	for i, each := range path {
		copy(out[i][:], each)
	}
	return out
}

func leaves(directory string, size int64) (out [][]byte) {
	for n := int64(0); n*256 < size; n++ {
		tile := tlog.Tile{H: 8, L: 0, N: n, W: int(min(256, size-n*256))}
		path := strings.Replace(tile.Path(), "tile/8/0/", "tile/entries/", 1)
		data, err := os.ReadFile(filepath.Join(directory, path))
		check(err)
		for len(data) > 0 {
			length := binary.BigEndian.Uint16(data)
			out = append(out, data[2:2+length])
			data = data[2+length:]
		}
	}
	return out
}

func check(err error) {
	if err != nil {
		fmt.Println("not valid:", err)
		os.Exit(1)
	}
}

func main() {
	var r request
	check(json.NewDecoder(os.Stdin).Decode(&r))
	text, err := os.ReadFile(filepath.Join(r.Directory, "checkpoint"))
	check(err)
	verifier, err := note.NewVerifier(r.Key)
	check(err)
	signed, err := note.Open(text, note.VerifierList(verifier))
	check(err)
	lines := strings.Split(signed.Text, "\n")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	check(err)
	root, err := base64.StdEncoding.DecodeString(lines[2])
	check(err)
	tree := tlog.Tree{N: size}
	copy(tree.Hash[:], root)
	reader := tlog.TileHashReader(tree, tiles{r.Directory})
	entries := leaves(r.Directory, size)
	if int64(len(entries)) != size {
		check(fmt.Errorf("%d entries in the bundles of a tree of %d", len(entries), size))
	}
	for n, leaf := range entries {
		proof, err := tlog.ProveRecord(size, int64(n), reader)
		check(err)
		check(tlog.CheckRecord(proof, size, tree.Hash, int64(n), tlog.RecordHash(leaf)))
	}
	for _, each := range r.Proofs {
		check(tlog.CheckRecord(hashes(each.Path), size, tree.Hash, each.Index, tlog.RecordHash(each.Leaf)))
	}
	for _, each := range r.Consistency {
		var old tlog.Hash
		copy(old[:], each.Root)
		check(tlog.CheckTree(hashes(each.Path), size, tree.Hash, each.Old, old))
	}
	fmt.Println("valid", lines[0], size)
}
