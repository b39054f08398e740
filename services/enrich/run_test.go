package enrich
import ("testing";"os";"strings";"context";"fmt";"github.com/marsad-news/marsad/pkg/article")
func TestRun(t *testing.T){
 e,err:=NewEnricher(); if err!=nil{t.Fatal(err)}
 raw,_:=os.ReadFile(os.Getenv("TRY"))
 for _,doc:=range strings.Split(string(raw),"\n=====\n"){
 ti,bo,_:=strings.Cut(doc,"\n")
 a:=article.Article{Title:ti,Body:bo}
 if err:=e.Enrich(context.Background(),&a);err!=nil{t.Fatal(err)}
 fmt.Println("##",a.Language,ti)
 for _,e:=range a.Entities{ fmt.Print("  ",e.Labels["en"],"/",e.Country," ",e.Count,";")}; fmt.Println()
 for _,e:=range a.Topics{ fmt.Println("  ",e.ID,e.Name,e.Score,strings.Join(e.Evidence," | "))}
 }
}
