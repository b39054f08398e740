package text

import (
	"strings"
	"sync"
	"testing"
)

func TestDetect(t *testing.T) {
	d := NewDetector()
	for _, c := range []struct{ want, text string }{
		{"ar", "أعلنت الحكومة المغربية يوم الثلاثاء عن برنامج جديد لدعم التشغيل في المدن الكبرى"},
		{"ar", "المغرب يعلن عن خطة جديدة"},
		{"fr", "Le gouvernement a annoncé mardi un nouveau programme pour soutenir l’emploi dans les grandes villes"},
		{"en", "The government announced a new programme on Tuesday to support employment in the big cities"},
		{"es", "El gobierno anunció el martes un nuevo programa para apoyar el empleo en las grandes ciudades"},
		{"de", "Der Bundeskanzler traf gestern den Präsidenten in Berlin"},
		{"it", "Il presidente del consiglio ha incontrato ieri i ministri"},
		{"pt", "O presidente da república encontrou ontem os ministros"},
		{"nl", "De minister-president heeft gisteren met de koning gesproken"},
		{"ru", "Президент вчера встретился с министрами в Москве"},
		{"uk", "Президент України зустрівся з міністрами в Києві"},
		{"tr", "Cumhurbaşkanı dün Ankara'da bakanlarla bir araya geldi"},
		{"fa", "رئیس جمهور دیروز با وزیران در تهران دیدار کرد"},
		{"fa", "رئيس جمهور ديروز با وزيران در تهران ديدار كرد"},
		{"ur", "وزیر اعظم نے کل اسلام آباد میں وزراء سے ملاقات کی ہے"},
		{"ckb", "سەرۆکی حکوومەتی هەرێمی کوردستان لەگەڵ وەزیران کۆبووەوە"},
		{"he", "ראש הממשלה נפגש אתמול עם השרים"},
		{"el", "Ο πρωθυπουργός συναντήθηκε χθες με τους υπουργούς"},
		{"zh", "东京是日本的首都"},
		{"ja", "東京は日本の首都です"},
		{"ko", "대통령은 어제 장관들을 만났다"},
		{"hi", "गुरुवार को प्रधानमंत्री ने मंत्रियों से मुलाकात की"},
		{"und", ""},
		{"und", "  \n"},
		{"und", "ok"},
		{"und", "عاجل"},
		{"und", "123 456 — 78 %"},
		{"und", "wallah ya akhi shu hal 7aki hada, ana ma ba3rif"},
		{"und", "ana kont fi el beit w ba3den rohna 3ala el souq ma3 el shabab el youm"},
		{"und", "asdf qwer zxcv uiop"},
		{"und", "Rabat Casablanca Marrakech Agadir"},
		{"und", "Manchester United 3-1 Liverpool"},
		{"und", "\xff\xfe\xfd"},
	} {
		got, confidence := d.Detect(c.text)
		if got != c.want || confidence < 0 || confidence > 1 || (got == "und") != (confidence == 0) {
			t.Errorf("Detect(%q) = %s, %v; want %s", c.text, got, confidence, c.want)
		}
	}
}

// The sample is bounded and the detector shared.
func TestDetectConcurrent(t *testing.T) {
	d := NewDetector()
	long := strings.Repeat("The government said that it is of the opinion. ", 100_000)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if got, _ := d.Detect(long); got != "en" {
				t.Errorf("Detect(long) = %s", got)
			}
		})
	}
	wg.Wait()
}

func FuzzDetect(f *testing.F) {
	d := NewDetector()
	f.Add("Le gouvernement a annoncé")
	f.Add("\xd8\xff المغرب")
	f.Add("வணக்கம்")
	f.Fuzz(func(t *testing.T, s string) {
		lang, confidence := d.Detect(s)
		if lang == "" || confidence < 0 || confidence > 1 {
			t.Errorf("Detect(%q) = %q, %v", s, lang, confidence)
		}
	})
}
