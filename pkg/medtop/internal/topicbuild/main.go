// Command topicbuild joins the tables of IPTC Media Topics into the file that
// package medtop embeds: mediatopics.tsv (tree, notes of retirement) and
// mediatopics_labels.tsv (labels in Arabic, French and Spanish). A term that
// the tree lacks is left out, since nobody says where it belongs.
package main

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

func main() {
	from := flag.String("from", "", "directory of the source tables")
	to := flag.String("to", "medtop/data/mediatopics.tsv", "file to write")
	flag.Parse()
	if err := run(*from, *to); err != nil {
		fmt.Fprintln(os.Stderr, "topicbuild:", err)
		os.Exit(1)
	}
}

func run(from, to string) error {
	tree, err := readTable(filepath.Join(from, "mediatopics.tsv"))
	if err != nil {
		return err
	}
	labels, err := readTable(filepath.Join(from, "mediatopics_labels.tsv"))
	if err != nil {
		return err
	}
	lines := []string{"id\tparent\tretired\tsuccessor\ten\tar\tfr\tes"}
	successor := regexp.MustCompile(`medtop:(\d{8})`)
	for _, id := range slices.Sorted(maps.Keys(tree)) {
		r, l := tree[id], labels[id]
		retired, next := "", ""
		if r["retired"] != "" || l["retired"] != "" {
			retired = "1"
			for _, m := range successor.FindAllStringSubmatch(r["retired_note"]+" "+l["change_note"], -1) {
				if n := tree[m[1]]; m[1] != id && n != nil && n["retired"] == "" && next == "" {
					next = m[1]
				}
			}
		}
		arabic := l["ar"]
		if l["remark"] != "" { // the remarks are on Arabic labels in error
			arabic = ""
		}
		en := l["en"]
		if en == "" {
			en = r["en"]
		}
		lines = append(lines, strings.Join([]string{id, strings.TrimPrefix(r["parent"], "medtop:"), retired, next, en, arabic, l["fr"], l["es"]}, "\t"))
	}
	return os.WriteFile(to, []byte(strings.Join(lines, "\n")+"\n"), 0o644)
}

// readTable reads a table with a head, by the column "id".
func readTable(name string) (map[string]map[string]string, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	lines := strings.Split(strings.TrimRight(string(data), "\n"), "\n")
	head := strings.Split(lines[0], "\t")
	rows := map[string]map[string]string{}
	for i, line := range lines[1:] {
		fields := strings.Split(line, "\t")
		if len(fields) > len(head) {
			return nil, fmt.Errorf("%s line %d has %d fields, the head %d", name, i+2, len(fields), len(head))
		}
		r := map[string]string{}
		for j, f := range fields {
			r[head[j]] = strings.Join(strings.Fields(f), " ")
		}
		rows[r["id"]] = r
	}
	return rows, nil
}
