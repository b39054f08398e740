package topic

import (
	"context"
	"slices"
	"testing"

	"github.com/marsad-news/marsad/pkg/article"
	"github.com/marsad-news/marsad/pkg/medtop"
)

func newTestClassifier(t *testing.T) *Classifier {
	t.Helper()
	topics, err := medtop.Load()
	if err != nil {
		t.Fatal(err)
	}
	c, err := New(topics) // refuses unknown and retired ids
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestTopics(t *testing.T) {
	c := newTestClassifier(t)
	for _, test := range []struct {
		lang, title, body string
		want              []string // among the topics
		none              []string // not among topics and broader ones
	}{
		{"en", "Striker scores twice in World Cup match", "The goalkeeper saved a penalty in the second half of the football match.", []string{"20001065"}, []string{"16000000", "02000000"}},
		{"en", "Inflation slows", "Consumer prices rose less than expected; the central bank kept interest rates on hold.", []string{"20000370", "20000350"}, []string{"15000000"}},
		{"fr", "Grève à la SNCF", "Les syndicats ont déposé un préavis de grève ; les trains seront rares.", []string{"20000530"}, []string{"15000000"}},
		{"fr", "Incendies de forêt", "Les pompiers luttent contre les flammes ; mille hectares ont brûlé.", []string{"20000150"}, nil},
		{"ar", "تفجير انتحاري في العاصمة", "تبنى تنظيم داعش الهجوم الإرهابي وقالت الشرطة إن التحقيق مستمر", []string{"20000053", "20000103"}, []string{"15000000"}},
		{"ar", "انتخابات محلية", "توجه الناخبون إلى صناديق الاقتراع لاختيار أعضاء المجالس", []string{"20000574"}, nil},
		{"en", "A quiet day", "The police were there.", nil, []string{"02000000"}},
		{"de", "Terrorismus", "Terrorismus und Terroristen", nil, []string{"02000000"}},
	} {
		a := article.Article{Title: test.title, Body: test.body, Language: test.lang}
		if err := c.Apply(context.Background(), &a); err != nil {
			t.Fatal(err)
		}
		var ids, broader []string
		for _, topic := range a.Topics {
			ids = append(ids, topic.ID)
			broader = append(append(broader, topic.ID), topic.Broader...)
		}
		for _, id := range test.want {
			if !slices.Contains(ids, medtop.Prefix+id) {
				t.Errorf("%s: %s is missing in %v", test.title, id, a.Topics)
			}
		}
		for _, id := range test.none {
			if slices.Contains(broader, medtop.Prefix+id) {
				t.Errorf("%s: %s is there: %v", test.title, id, a.Topics)
			}
		}
	}
}

func TestLexiconsCoverTopTerms(t *testing.T) {
	c := newTestClassifier(t)
	for lang, l := range c.lexicons {
		tops := map[string]bool{}
		for _, u := range l.uses {
			top := u.topic
			if b := c.topics.Broader(u.topic); len(b) > 0 {
				top = b[len(b)-1]
			}
			tops[top] = true
		}
		if len(tops) != 17 {
			t.Errorf("%s: phrases for %d of 17 top terms", lang, len(tops))
		}
	}
}

func TestPatterns(t *testing.T) {
	p := newPatterns()
	whole, prefix, long := p.add("vote", false), p.add("vot", true), p.add("voter", true)
	for word, want := range map[string][]int32{
		"vote": {whole, prefix}, "voters": {prefix, long}, "vo": nil, "vot": {prefix}, "": nil, "ارهاب": nil,
	} {
		if got := p.fits(nil, word); !slices.Equal(got, want) {
			t.Errorf("fits(%q) = %v, want %v", word, got, want)
		}
	}
}
