// Command kbbuild converts source tables into the files that package kb
// embeds. It reads the directory given by -from and writes into -to; the same
// input gives the same bytes.
//
// Read: countries.tsv, regions.tsv (CLDR, datasets/country-codes), cities.tsv
// (GeoNames), places.tsv and demonyms.tsv (ODbL). What comes from the ODbL
// tables goes into files whose names end in "-odbl.tsv", nothing else does.
// Files written by hand (names.tsv, extra.tsv, words.tsv, qids.tsv) are left
// alone; a city that names.tsv speaks of is kept however small.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	from := flag.String("from", "", "directory of the source tables")
	to := flag.String("to", "kb/data", "directory to write into")
	flag.Parse()
	if err := run(*from, *to); err != nil {
		fmt.Fprintln(os.Stderr, "kbbuild:", err)
		os.Exit(1)
	}
}

func run(from, to string) error {
	if from == "" {
		return fmt.Errorf("say where the source tables are with -from")
	}
	b := builder{}
	for name, dst := range map[string]*[]row{
		"countries.tsv": &b.countries, "regions.tsv": &b.regions, "cities.tsv": &b.cities,
		"places.tsv": &b.places, "demonyms.tsv": &b.demonyms,
	} {
		rows, err := readTable(filepath.Join(from, name))
		if err != nil {
			return err
		}
		*dst = rows
	}
	named, err := readTable(filepath.Join(to, "names.tsv"))
	if err != nil {
		return err
	}
	b.wanted = map[string]bool{}
	for _, r := range named {
		b.wanted[r["key"]] = true
	}
	b.index()
	for name, lines := range map[string][]string{
		"countries.tsv": b.countryLines(), "regions.tsv": b.regionLines(), "cities.tsv": b.cityLines(),
		"places-odbl.tsv": b.placeLines(), "demonyms-odbl.tsv": b.demonymLines(),
	} {
		text := strings.Join(lines, "\n") + "\n"
		if err := os.WriteFile(filepath.Join(to, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// row is a line of a table by column name.
type row map[string]string

func readTable(name string) ([]row, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	lines := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	head := strings.Split(strings.TrimSuffix(lines[0], "\r"), "\t")
	var rows []row
	for i, line := range lines[1:] {
		fields := strings.Split(strings.TrimSuffix(line, "\r"), "\t")
		if len(fields) > len(head) {
			return nil, fmt.Errorf("%s line %d has %d fields, the head %d", name, i+2, len(fields), len(head))
		}
		r := row{}
		for j, f := range fields {
			r[head[j]] = strings.TrimSpace(f)
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// list splits a field of alternatives, drops what is empty or twice, keeps order.
func list(s string) []string {
	var out []string
	for v := range strings.SplitSeq(s, "|") {
		if v = strings.TrimSpace(v); v != "" && !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}
