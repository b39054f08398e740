package main

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/marsad-news/marsad/pkg/text"
)

// minPopulation is the least size of a city that is no capital; cities of the
// countries in arab are taken from minArab on.
const (
	minPopulation = 100_000
	minArab       = 50_000
	maxDistance   = 0.3 // degrees between two rows of one city
)

type builder struct {
	countries, regions, cities, places, demonyms []row
	named                                        map[string][]row // country and folded name → city rows of places
	chosen                                       []city
	wanted                                       map[string]bool // country/name that names.tsv speaks of
}

type city struct {
	row, place row // place is nil where no row of places.tsv matches
	capital    int // 2 of a state, 1 of a first-level division, 0 of neither
}

func arab(country string) bool {
	return slices.Contains([]string{"AE", "BH", "DJ", "DZ", "EG", "IQ", "JO", "KM", "KW", "LB", "LY", "MA", "EH",
		"MR", "OM", "PS", "QA", "SA", "SD", "SO", "SY", "TN", "YE"}, country)
}

// index joins the cities with places.tsv and chooses those to keep.
func (b *builder) index() {
	b.named = map[string][]row{}
	for _, p := range b.places {
		if p["kind"] == "city" {
			for _, name := range []string{p["en"], p["fr"]} {
				key := p["country"] + " " + text.Join(name)
				b.named[key] = append(b.named[key], p)
			}
		}
	}
	capitals := map[string]bool{}
	for _, c := range b.countries {
		capitals[c["iso2"]+" "+text.Join(c["capital_en"])] = true
	}
	for _, r := range b.cities {
		c := city{row: r, place: b.match(r)}
		if capitals[r["country"]+" "+text.Join(r["en"])] {
			c.capital = 2
		} else if c.place != nil && c.place["type"] == "adm1" {
			c.capital = 1
		}
		limit := minPopulation
		if arab(r["country"]) {
			limit = minArab
		}
		if c.capital > 0 || b.wanted[r["country"]+"/"+r["en"]] || number(r["population"]) >= limit {
			b.chosen = append(b.chosen, c)
		}
	}
	b.oneCapital()
}

// oneCapital leaves the rank of a state's capital to the largest of its rows.
func (b *builder) oneCapital() {
	best := map[string]int{}
	for i, c := range b.chosen {
		if c.capital != 2 {
			continue
		}
		j, ok := best[c.row["country"]]
		if !ok || number(c.row["population"]) > number(b.chosen[j].row["population"]) {
			best[c.row["country"]] = i
		}
	}
	for i := range b.chosen {
		if c := &b.chosen[i]; c.capital == 2 && best[c.row["country"]] != i {
			c.capital = 0
		}
	}
	slices.SortFunc(b.chosen, func(x, y city) int {
		return cmp.Or(number(y.row["population"])-number(x.row["population"]), number(x.row["geonameid"])-number(y.row["geonameid"]))
	})
}

// match finds the row of places.tsv for a city: same country, a common name,
// near enough. Capitals and cities are preferred to the districts around them.
func (b *builder) match(r row) row {
	var best row
	bestRank := math.MaxInt
	for _, name := range append([]string{r["en"]}, list(r["latin_alternates"])...) {
		for _, p := range b.named[r["country"]+" "+text.Join(name)] {
			rank := slices.Index([]string{"capital", "adm1", "city", "adm2", "prefecture", "adm3"}, p["type"])
			if rank < 0 || rank >= bestRank || !near(r, p) {
				continue
			}
			best, bestRank = p, rank
		}
		if best != nil {
			return best
		}
	}
	return best
}

func near(a, b row) bool {
	return math.Abs(decimal(a["lat"])-decimal(b["lat"])) <= maxDistance &&
		math.Abs(decimal(a["lon"])-decimal(b["lon"])) <= maxDistance
}

func number(s string) int { n, _ := strconv.Atoi(s); return n }

func decimal(s string) float64 {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return math.Inf(1)
	}
	return f
}

func join(fields ...string) string {
	for i, f := range fields {
		fields[i] = strings.Join(strings.Fields(f), " ")
	}
	return strings.Join(fields, "\t")
}
