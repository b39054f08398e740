package text

import (
	"strings"
	"testing"
)

var benchTexts = map[string]string{
	"ar": "أعلنت وزارة الداخلية المغربية أن المصالح الأمنية أوقفت، بتنسيق مع المديرية العامة لمراقبة التراب الوطني، " +
		"شخصين يشتبه في ارتباطهما بشبكة للهجرة غير النظامية بين طنجة وإسبانيا. وأوضح البلاغ أن العملية جرت يوم الثلاثاء ٢٤ أكتوبر 2026. ",
	"fr": "Le ministère de l’Intérieur a annoncé que les services de sécurité ont arrêté, en coordination avec la direction générale " +
		"de la surveillance du territoire, deux personnes soupçonnées d’être liées à un réseau d’émigration entre Tanger et l’Espagne. ",
	"en": "The interior ministry said that security services arrested, together with the country's directorate of territorial surveillance, " +
		"two people suspected of links to a network of irregular migration between Tangier and Spain on Tuesday, 24 October 2026. ",
}

func BenchmarkTokens(b *testing.B) {
	for _, lang := range []string{"ar", "fr", "en"} {
		b.Run(lang, func(b *testing.B) {
			s := strings.Repeat(benchTexts[lang], 20)
			var tokens []Token
			b.SetBytes(int64(len(s)))
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				tokens = AppendTokens(tokens[:0], s)
				n += len(tokens)
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "tokens/s")
		})
	}
}

func BenchmarkAppendCores(b *testing.B) {
	tokens := Tokens(benchTexts["ar"])
	var cores []Core
	n := 0
	for b.Loop() {
		for i := range tokens {
			cores = AppendCores(cores[:0], tokens[i].Form)
		}
		n += len(tokens)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "tokens/s")
}

func BenchmarkTable(b *testing.B) {
	for b.Loop() {
		buildTable()
	}
}

func BenchmarkDetect(b *testing.B) {
	d := NewDetector()
	for _, lang := range []string{"ar", "fr", "en"} {
		b.Run(lang, func(b *testing.B) {
			s := strings.Repeat(benchTexts[lang], 10)[:500]
			for b.Loop() {
				d.Detect(s)
			}
		})
	}
}
