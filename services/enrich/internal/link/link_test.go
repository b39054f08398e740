package link

import (
	"context"
	"slices"
	"testing"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/kb"
)

func TestMentions(t *testing.T) {
	base, err := kb.Load()
	if err != nil {
		t.Fatal(err)
	}
	l := New(base)
	for _, c := range []struct {
		lang, text string
		want       []string // mention=English label, by position
	}{
		// Arabic particles
		{"ar", "وصل الوفد إلى بالمغرب", []string{"المغرب=Morocco"}},
		{"ar", "قدم الدعم للمغرب وفرنسا", []string{"لمغرب=Morocco", "فرنسا=France"}},
		{"ar", "رحلة لباريس ولبنان", []string{"باريس=Paris", "لبنان=Lebanon"}},
		{"ar", "قالت واشنطن إن كندا وبلجيكا وبريطانيا", []string{"واشنطن=Washington", "كندا=Canada", "بلجيكا=Belgium", "بريطانيا=United Kingdom"}},
		{"ar", "سافر من ليبيا إلى لندن وفلسطين ثم فرنسا", []string{"ليبيا=Libya", "لندن=London", "فلسطين=Palestine", "فرنسا=France"}},
		{"ar", "للولايات المتحدة مصالح", []string{"لولايات المتحدة=United States"}},
		{"ar", "في البوسنة والهرسك والجزائر العاصمة", []string{"البوسنة والهرسك=Bosnia and Herzegovina", "الجزائر العاصمة=Algiers"}},
		{"ar", "المَغْرِب وتونس", []string{"المَغْرِب=Morocco", "تونس=Tunisia"}},
		// no places
		{"ar", "الأمن المغربي والشرطة الفرنسية والوفد المصري واللغة العربية", nil},
		{"ar", "بعد صلاة المغرب في المسجد", nil},
		{"ar", "الدعم مالي والوضع المالي صعب", nil},
		{"ar", "نشرت صور الحادث وتحدثت عن سيول جارفة", nil},
		{"ar", "فاز ريال مدريد على باريس سان جيرمان", nil},
		{"ar", "قالت الحكومة السعودية", nil},
		{"ar", "قالت جامعة القاهرة", nil},
		{"ar", "سافر إلى مالي", []string{"مالي=Mali"}},
		{"ar", "قالت السعودية ومصر", []string{"السعودية=Saudi Arabia", "مصر=Egypt"}},
		// which one
		{"ar", "في سلطنة عمان ومسقط", []string{"سلطنة عمان=Oman", "مسقط=Muscat"}},
		{"ar", "العاهل الأردني وصل إلى عمان بعد زيارة العقبة في الأردن", []string{"عمان=Amman", "الأردن=Jordan"}},
		{"ar", "رئيس الوزراء اللبناني زار طرابلس شمال لبنان", []string{"طرابلس=Tripoli/LB", "لبنان=Lebanon"}},
		{"ar", "قال مسؤول في طرابلس بليبيا", []string{"طرابلس=Tripoli/LY", "ليبيا=Libya"}},
		// French
		{"fr", "Les États-Unis, la Côte d'Ivoire et la Guinée-Bissau", []string{"États-Unis=United States", "Côte d'Ivoire=Ivory Coast", "Guinée-Bissau=Guinea-Bissau"}},
		{"fr", "En mer Rouge et à N'Djamena", []string{"mer Rouge=Red Sea", "N'Djamena=N'Djamena"}},
		{"fr", "Le président français et le ministre marocain parlent anglais", nil},
		{"fr", "Le Paris Saint-Germain a battu l'équipe", nil},
		{"fr", "Il vit à Nice, près de Tours", []string{"Nice=Nice", "Tours=Tours"}},
		{"fr", "Une réunion à Mexico avec le Mexique", []string{"Mexico=Mexico City", "Mexique=Mexico"}},
		{"fr", "Mali : deux humanitaires libérés", []string{"Mali=Mali"}},
		{"fr", "La Coupe d'Afrique au Maroc", []string{"Maroc=Morocco"}},
		// English
		{"en", "The US and the U.K. met in New York; nice tours for us.", []string{"US=United States", "U.K.=United Kingdom", "New York=New York"}},
		{"en", "He ate turkey in Turkey with a jersey on", []string{"Turkey=Turkey"}},
		{"en", "Moroccan and French officials spoke English", nil},
		{"en", "Michael Jordan met Chad Smith", nil},
		{"en", "The New York Times and the Washington Post reported", nil},
		{"en", "Talks in Papua New Guinea, Equatorial Guinea and Guinea", []string{"Papua New Guinea=Papua New Guinea", "Equatorial Guinea=Equatorial Guinea", "Guinea=Guinea"}},
		{"en", "Nigeria and Niger closed the border", []string{"Nigeria=Nigeria", "Niger=Niger"}},
		{"en", "in the U.S.", []string{"U.S.=United States"}},
		{"en", "Voters in Atlanta, Georgia, and elsewhere in the United States", []string{"Atlanta=Atlanta", "Georgia=Georgia/US", "United States=United States"}},
		{"en", "Reading books is the best thing; Best was there", nil},
	} {
		a := article.Article{Body: c.text, Language: c.lang}
		if err := l.Apply(context.Background(), &a); err != nil {
			t.Fatal(err)
		}
		if got := mentions(&a, c.want); !slices.Equal(got, c.want) {
			t.Errorf("%s\n got %q\nwant %q", c.text, got, c.want)
		}
	}
}

// mentions lists the mentions by position, with the country where one of want
// says it.
func mentions(a *article.Article, want []string) []string {
	type at struct {
		start int
		text  string
	}
	var all []at
	for _, e := range a.Entities {
		for _, m := range e.Mentions {
			s := m.Text + "=" + e.Labels["en"]
			if slices.Contains(want, s+"/"+e.Country) {
				s += "/" + e.Country
			}
			all = append(all, at{m.Start, s})
		}
	}
	slices.SortFunc(all, func(x, y at) int { return x.start - y.start })
	var out []string
	for _, m := range all {
		out = append(out, m.text)
	}
	return out
}
