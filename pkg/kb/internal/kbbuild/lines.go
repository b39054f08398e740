package main

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// countryLines are the names of countries; the French article in brackets,
// asterisks and other remarks of the UN list are cut off.
func (b *builder) countryLines() []string {
	lines := []string{"qid\tiso2\tindependent\tcapital\ten\tfr\tar\tother"}
	remark := regexp.MustCompile(`\s*\((?:the|le|la|les|l'|el|los|las)\)|\s*\*$`)
	for _, c := range b.countries {
		if c["qid"] == "" || c["iso2"] == "UM" {
			continue
		}
		var other []string
		for _, v := range list(c["other_names"]) {
			lang, name, _ := strings.Cut(v, ":")
			name = strings.TrimSpace(remark.ReplaceAllString(name, ""))
			if !slices.Contains([]string{"en", "fr", "ar"}, lang) || strings.ContainsAny(name, "()،,_") || strings.Contains(name, " - ") {
				continue
			}
			if v := lang + ":" + name; !slices.Contains(other, v) {
				other = append(other, v)
			}
		}
		for _, lang := range []string{"en", "fr", "ar"} {
			if name := official(c["official_"+lang]); name != "" {
				other = append(other, lang+":"+name)
			}
		}
		lines = append(lines, join(c["qid"], c["iso2"], c["independent"], c["capital_en"], c["en"], c["fr"], c["ar"], strings.Join(other, "|")))
	}
	return lines
}

// official is a formal name without the article before it.
func official(name string) string {
	for _, article := range []string{"the ", "la ", "le ", "les ", "l'", "l’"} {
		if rest, ok := strings.CutPrefix(name, article); ok {
			return rest
		}
	}
	return name
}

// regionLines are the parts of the world, without what is no territory.
func (b *builder) regionLines() []string {
	lines := []string{"code\ten\tfr\tar"}
	for _, r := range b.regions {
		if !slices.Contains([]string{"001", "057", "202", "EU", "EZ", "UN"}, r["code"]) {
			lines = append(lines, join(r["code"], r["en"], r["fr"], r["ar"]))
		}
	}
	return lines
}

func (b *builder) cityLines() []string {
	lines := []string{"geonameid\tcountry\tlat\tlon\tpopulation\tcapital\ten\tar"}
	for _, c := range b.chosen {
		r := c.row
		var arabic []string
		for _, name := range list(r["arabic"]) {
			if plainArabic(name) {
				arabic = append(arabic, name)
			}
		}
		lines = append(lines, join(r["geonameid"], r["country"], r["lat"], r["lon"], r["population"], strconv.Itoa(c.capital), r["en"], strings.Join(arabic, "|")))
	}
	return lines
}

// plainArabic is false for names with a kind-word before or a remark behind.
func plainArabic(name string) bool {
	if strings.ContainsAny(name, "،,()-") {
		return false
	}
	first, rest, _ := strings.Cut(name, " ")
	if rest == "" {
		return true
	}
	return !slices.Contains([]string{"ولاية", "مدينة", "محافظة", "إقليم", "اقليم", "مقاطعة", "بلدية", "منطقة", "قضاء", "ناحية"}, first)
}

// placeLines is what comes from the ODbL table: coordinates of countries,
// French and Arabic names and hints of Q-ids for cities, and the first-level
// divisions of some states.
func (b *builder) placeLines() []string {
	lines := []string{"kind\tid\tqid\tcountry\tlat\tlon\tpopulation\ten\tfr\tar"}
	for _, p := range b.places {
		switch {
		case p["kind"] == "country":
			lines = append(lines, join("country", p["qid"], p["qid"], p["country"], p["lat"], p["lon"], p["population"], "", "", ""))
		case p["kind"] == "state" && division(p):
			lines = append(lines, join("state", p["qid"], p["qid"], p["country"], p["lat"], p["lon"], p["population"], p["en"], p["fr"], p["ar"]))
		}
	}
	for _, c := range b.chosen {
		if p := c.place; p != nil {
			lines = append(lines, join("city", c.row["geonameid"], p["qid"], p["country"], "", "", "", p["en"], p["fr"], p["ar"]))
		}
	}
	return lines
}

func division(p row) bool {
	kinds := map[string][]string{
		"US": {"state"}, "CA": {"province", "territory"}, "AU": {"state", "territory"}, "DE": {"land"}, "IN": {"state"},
		"ES": {"autonomous community"}, "FR": {"metropolitan region"}, "IT": {"region", "autonomous region"}, "BR": {"state"},
	}
	return slices.Contains(kinds[p["country"]], p["type"]) && p["qid"] != ""
}

func (b *builder) demonymLines() []string {
	lines := []string{"iso2\ten\tfr"}
	for _, d := range b.demonyms {
		en := append([]string{d["en"]}, strings.Split(d["nationality_en"], ",")...)
		fr := []string{d["fr_m"], d["fr_f"]}
		lines = append(lines, join(d["iso2"], strings.Join(list(strings.Join(en, "|")), "|"), strings.Join(list(strings.Join(fr, "|")), "|")))
	}
	return lines
}
