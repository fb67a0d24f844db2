// Checks a ledger's folder with Google's own code for transparency logs (golang.org/x/mod/sumdb):
// the signed note, every tile, the inclusion of entries, consistency between all sizes asked.
package main

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type files struct{ folder string }

func (f files) Height() int                               { return 8 }
func (f files) SaveTiles(tiles []tlog.Tile, data [][]byte) {}
func (f files) ReadTiles(tiles []tlog.Tile) (data [][]byte, err error) {
	for _, tile := range tiles {
		// x/mod writes tile/8/L/N; tlog-tiles leaves the height out.
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		bytes, err := os.ReadFile(filepath.Join(f.folder, path))
		if err != nil {
			return nil, err
		}
		data = append(data, bytes)
	}
	return data, nil
}

func must(err error, what string) {
	if err != nil {
		fmt.Printf("%s: %v\n", what, err)
		os.Exit(1)
	}
}

// An entry bundle is uint16 length and bytes, again and again.
func entries(folder string, size int64) (all [][]byte) {
	for n := int64(0); n*256 < size; n++ {
		tile := tlog.Tile{H: 8, L: -1, N: n, W: 256}
		if size-n*256 < 256 {
			tile.W = int(size - n*256)
		}
		path := strings.Replace(tile.Path(), "tile/8/data/", "tile/entries/", 1)
		bytes, err := os.ReadFile(filepath.Join(folder, path))
		must(err, path)
		for len(bytes) > 1 {
			length := int(binary.BigEndian.Uint16(bytes))
			all = append(all, bytes[2:2+length])
			bytes = bytes[2+length:]
		}
	}
	return all
}

// A witness's key, C2SP tlog-cosignature v1: x/mod knows the note and not this algorithm, so that it is given here from
// the specification's words.
type witness struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func (w witness) Name() string    { return w.name }
func (w witness) KeyHash() uint32 { return w.hash }
func (w witness) Verify(message, signature []byte) bool {
	if len(signature) != 8+ed25519.SignatureSize {
		return false
	}
	head := fmt.Sprintf("cosignature/v1\ntime %d\n", binary.BigEndian.Uint64(signature))
	return ed25519.Verify(w.key, append([]byte(head), message...), signature[8:])
}

func newWitness(vkey string) witness {
	parts := strings.SplitN(vkey, "+", 3)
	key, err := base64.StdEncoding.DecodeString(parts[2])
	must(err, "witness.vkey")
	if len(key) != 1+ed25519.PublicKeySize || key[0] != 4 {
		must(fmt.Errorf("%x", key), "witness.vkey")
	}
	sum := sha256.Sum256(append([]byte(parts[0]+"\n"), key...))
	return witness{parts[0], binary.BigEndian.Uint32(sum[:]), key[1:]}
}

// The newest cosigned head: both signatures, and the tree that was just accepted.
func checkWitnessed(folder string, log note.Verifier, checkpoint string) {
	vkey, err := os.ReadFile(filepath.Join(folder, "witness.vkey"))
	must(err, "witness.vkey")
	text, err := os.ReadFile(filepath.Join(folder, "witnessed"))
	must(err, "witnessed")
	signed, err := note.Open(text, note.VerifierList(log, newWitness(string(vkey))))
	must(err, "witnessed")
	if len(signed.Sigs) != 2 || signed.Text != checkpoint {
		must(fmt.Errorf("%d signatures", len(signed.Sigs)), "witnessed")
	}
}

func main() {
	folder := os.Args[1]
	vkey, err := os.ReadFile(filepath.Join(folder, "vkey"))
	must(err, "vkey")
	verifier, err := note.NewVerifier(strings.TrimSpace(string(vkey)))
	must(err, "vkey")
	text, err := os.ReadFile(filepath.Join(folder, "checkpoint"))
	must(err, "checkpoint")
	signed, err := note.Open(text, note.VerifierList(verifier))
	must(err, "checkpoint")
	lines := strings.Split(signed.Text, "\n")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	must(err, "size")
	root, err := tlog.ParseHash(lines[2])
	must(err, "root")
	if lines[0] != verifier.Name() {
		must(fmt.Errorf("%q", lines[0]), "origin")
	}
	tree := tlog.Tree{N: size, Hash: root}
	reader := tlog.TileHashReader(tree, files{folder})
	computed, err := tlog.TreeHash(size, reader)
	must(err, "tiles")
	if computed != root {
		must(fmt.Errorf("%v", computed), "root")
	}
	all := entries(folder, size)
	if int64(len(all)) != size {
		must(fmt.Errorf("%d", len(all)), "entries")
	}
	// All of a small tree; of a large one five hundred entries, the first and the last among them.
	step := size/500 + 1
	for i := (size - 1) % step; i < size; i += step {
		proof, err := tlog.ProveRecord(size, i, reader)
		must(err, "inclusion")
		must(tlog.CheckRecord(proof, size, root, i, tlog.RecordHash(all[i])), "inclusion")
	}
	for _, text := range os.Args[2:] {
		old, err := strconv.ParseInt(text, 10, 64)
		must(err, text)
		hash, err := tlog.TreeHash(old, reader)
		must(err, "consistency")
		proof, err := tlog.ProveTree(size, old, reader)
		must(err, "consistency")
		must(tlog.CheckTree(proof, size, root, old, hash), "consistency")
	}
	checkWitnessed(folder, verifier, signed.Text)
	fmt.Printf("%s: %d entries accepted by golang.org/x/mod\n", lines[0], size)
}
