package text

import "github.com/abadojack/whatlanggo"

// functionWords lists, for the languages that share a script with others,
// words that hardly any text of some length lacks. Latin and Cyrillic words
// are written as in a text, in lower case; Arabic ones are folded.
//
//nolint:gochecknoglobals // a table, never changed
var functionWords = [...]struct {
	tag    string
	script Script
	model  whatlanggo.Lang // in the trigram model, -1 for none
	words  string
}{
	{"en", Latin, whatlanggo.Eng, "the of and to in is was for that on with as by at from are were be has have it an this which or not but his her their after its they he she you we will been who can more than when about said says over into also"},
	{"fr", Latin, whatlanggo.Fra, "le la les de des du et en un une est pour dans que qui sur par au aux avec il elle ce cette son sa ses ne pas plus se ou sont a été ont mais leur leurs nous vous comme entre après selon dont être fait ainsi deux sans à ils"},
	{"es", Latin, whatlanggo.Spa, "el la los las de del y en un una que es por para con se su sus al lo como más no ha fue son pero entre este esta sobre también desde hasta ser han muy o hay sin años cuando había según está"},
	{"de", Latin, whatlanggo.Deu, "der die das und in den von zu mit sich des auf für ist im dem nicht ein eine als auch es an werden aus er hat dass sie nach wird bei einer um am sind noch wie einem über einen so zum war haben nur oder aber vor zur bis mehr durch"},
	{"it", Latin, whatlanggo.Ita, "il lo la i gli le di del della dei delle e è un una in che per con non si da dal nel nella al alla sono ha come più anche ma questo questa su sul o ai alle dalla hanno stato essere tra degli ed suo sua"},
	{"pt", Latin, whatlanggo.Por, "o a os as de do da dos das e em um uma que para com não no na nos nas por se mais como ao foi são é mas pelo pela seu sua ou entre também já à ser está ele ela até isso sobre há às aos você"},
	{"nl", Latin, whatlanggo.Nld, "de het een van en in is dat op te zijn met voor niet aan er om ook als bij maar door naar uit nog wordt werd heeft hebben over tot dan of deze die meer zich hij ze was worden kan geen gisteren"},
	{"tr", Latin, whatlanggo.Tur, "ve bir bu için ile de da olarak en daha çok gibi olan sonra kadar ise olduğu olduğunu ancak ne ya değil her var tarafından dedi göre büyük yeni iki dün bugün bin ki o şu hem araya karşı"},
	{"ca", Latin, -1, "el la els les de del i en un una que és per amb no al als com més però ha són seva seu aquest aquesta també entre fins dels des pel pels va han ser molt on hi està"},
	{"ro", Latin, whatlanggo.Ron, "și în de la a cu pe din care nu că este o un pentru mai sunt fost al ale ai au sau prin după ce dar fi între acest această lui ca să se"},
	{"pl", Latin, whatlanggo.Pol, "i w na z do nie się to że jest o jak po ale za od przez dla są był oraz tym także ze który która które już tylko będzie czy może lub przed jego jej ich"},
	{"cs", Latin, whatlanggo.Ces, "a v na se je že s z do o i pro to za by jako ale po který která které jsou byl od podle už jeho také ve ze nebo až při když jen tak však před"},
	{"sv", Latin, whatlanggo.Swe, "och i att en det som på är av för den med till har de inte om ett han men var från vid kan så efter när ska också eller under sig hon mot vi"},
	{"da", Latin, whatlanggo.Dan, "og i at en det som på er af for den med til har de ikke om et han men var fra ved kan så efter når skal også eller under sig hun mod vi blev efter bliver"},
	{"nb", Latin, whatlanggo.Nob, "og i at en det som på er av for den med til har de ikke om et han men var fra ved kan så etter når skal også eller under seg hun mot vi ble etter blir"},
	{"fi", Latin, whatlanggo.Fin, "ja on ei että oli se hän ovat mutta kun myös joka sekä kuin mukaan tai ole olla sen tämä jossa jotka niin mitä vain jo hänen noin voi"},
	{"hu", Latin, whatlanggo.Hun, "a az és hogy nem is egy de volt meg ez el csak már még lehet mint vagy kell ami aki után szerint között által pedig azt ha sem"},
	{"id", Latin, whatlanggo.Ind, "yang dan di ke dari untuk dengan dalam pada ini itu tidak adalah akan juga oleh sebagai telah karena bisa ada lebih atau mereka dapat saat sudah kata tersebut"},
	{"vi", Latin, whatlanggo.Vie, "và của là có trong được cho không các một người những với đã này khi để từ đến năm ở về ra vào như cũng tại theo trên nhiều"},
	{"sw", Latin, -1, "ya wa na kwa ni katika la za cha kuwa hiyo huo huyo alisema pia kama hii baada yake wake hata nchini wakati lakini"},
	{"so", Latin, whatlanggo.Som, "oo ka iyo ku in ee ah ayaa waa la uu si soo aan waxaa ay leh kale badan sheegay kuwa waxay"},

	{"ru", Cyrillic, whatlanggo.Rus, "и в не на что с по как это из для от о за он к был его до у также после при но все который которые бы же так или был было были во она они со вчера"},
	{"uk", Cyrillic, whatlanggo.Ukr, "і в не на що з у та до як за для від про це він його але також після при або який які є був було були під через цього й вже"},
	{"be", Cyrillic, whatlanggo.Bel, "і ў не на што з у да як за для ад пра гэта ён яго але таксама пасля пры або які якія быў было былі праз"},
	{"bg", Cyrillic, whatlanggo.Bul, "и в не на че с по за от да се е са като това до той но след при или който които беше най също във със бе ще"},
	{"sr", Cyrillic, whatlanggo.Srp, "и у је да се на за од са не који која које су као о из али до ће би није након или је био после"},
	{"mk", Cyrillic, whatlanggo.Mkd, "и во на да се за од со не кој која кои е како но до ќе би што по или беше се ги му"},
	{"kk", Cyrillic, -1, "және мен бұл үшін бар деп бір туралы бойынша болып осы жоқ де да еді"},

	{"ar", Arabic, -1, "في من علي ان الي عن مع التي الذي هذا هذه ما لا لم قد كان كانت بين بعد قبل كما حيث خلال وقال قال وفي ومن ذلك تم ايضا او كل ثم منذ عند غير هو هي وهو وهي"},
	{"fa", Arabic, -1, "در به از كه اين را است با براي ان شد شده مي هاي كرد بر خود تا يك نيز بود هم اما وي دو سال ديروز اند"},
	{"ur", Arabic, -1, "كي كے ميں هے سے كا كو نے اور پر هيں يه اس ان وه تها كيا بهي نهيں هو گيا ايك تهے تهي رهے لئے ساتھ كر"},
	{"ckb", Arabic, -1, "له بو كه به لهگهل ئهو يان بۆ لهسهر ئهم دهكات ناو كرد ههريمي دواي كاتي"},
	{"ps", Arabic, -1, "د په چې او ته له دي كې كړي سره يې هم شوي خو دا به كول شي وي"},
	{"ug", Arabic, -1, "ۋه بىلهن ئۈچۈن بۇ ئۇ بولۇپ ۋە دهپ"},
}

// countSigns counts letters that only some languages of a script have.
func countSigns(signs map[string]int, word string) {
	for _, r := range word {
		switch r {
		case 'ة', 'أ', 'إ', 'ى', 'ك', 'ي', 'ؤ':
			signs["ar"]++
		case 'پ', 'چ', 'ژ', 'گ', 'ک', 'ی':
			signs["fa"]++
			if r == 'ک' || r == 'ی' {
				signs["ur"]++
			}
		case 'ٹ', 'ڈ', 'ڑ', 'ں', 'ے', 'ہ', 'ھ':
			signs["ur"] += 3
		case 'ە', 'ێ', 'ۆ', 'ڵ', 'ڕ', 'ڤ':
			signs["ckb"] += 3
		case 'ټ', 'ډ', 'ړ', 'ږ', 'ښ', 'ګ', 'ڼ', 'ۍ', 'ځ', 'څ':
			signs["ps"] += 3
		case 'ې':
			signs["ps"]++
			signs["ug"]++
		case 'ۇ', 'ۈ', 'ۋ', 'ڭ':
			signs["ug"] += 3
		case 'ы', 'э', 'ё':
			signs["ru"]++
		case 'ї', 'є', 'ґ':
			signs["uk"] += 2
		case 'ў':
			signs["be"] += 2
		case 'ъ':
			signs["bg"]++
		case 'ђ', 'ћ':
			signs["sr"] += 2
		case 'ѓ', 'ќ', 'ѕ':
			signs["mk"] += 2
		case 'ә', 'ғ', 'қ', 'ң', 'ұ', 'һ':
			signs["kk"] += 2
		}
	}
}
