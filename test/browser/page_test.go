package browser

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

var picture = flag.String("picture", "", "write TestSamples's picture of the page to this file")

const three = `{"source":{"id":"atlas","name":"Atlas","country":"MA"},"guid":"1","language":"ar","title":"المغرب وفرنسا يعززان التعاون الأمني","body":"الرباط - اتفق البلدان على مكافحة الإرهاب والجريمة المنظمة."}
{"source":{"id":"nord","name":"Nord","country":"FR"},"guid":"2","language":"fr","title":"<script>window.hacked=1</script><img src=x onerror=window.hacked=1>","body":"PARIS - Séisme en Turquie.","url":"javascript:window.hacked=1"}
{"source":{"id":"wire","name":"Wire","country":"GB"},"guid":"3","language":"en","title":"Earthquake shakes Turkey","body":"ANKARA - An earthquake of magnitude 6 struck on Monday."}
`

// wait polls a JavaScript condition until it holds. Errors in between are those
// of a page that is just being replaced.
func wait(condition string) chromedp.Action {
	return chromedp.ActionFunc(func(ctx context.Context) error {
		limit := time.Now().Add(20 * time.Second)
		for {
			var holds bool
			err := chromedp.Evaluate(condition, &holds).Do(ctx)
			if holds {
				return nil
			}
			if ctx.Err() != nil || time.Now().After(limit) {
				return errors.Join(fmt.Errorf("waiting for %s", condition), err, ctx.Err())
			}
		}
	})
}

func TestPage(t *testing.T) {
	base, binary := startMarsad(t)
	ctx := startBrowser(t)
	var complaints []string
	chromedp.ListenTarget(ctx, func(ev any) {
		switch ev := ev.(type) {
		case *runtime.EventExceptionThrown:
			complaints = append(complaints, ev.ExceptionDetails.Error())
		case *network.EventLoadingFailed:
			if !ev.Canceled {
				complaints = append(complaints, ev.ErrorText)
			}
		}
	})
	steps := func(name string, actions ...chromedp.Action) {
		t.Helper()
		if err := chromedp.Run(ctx, actions...); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	steps("opening the page", network.Enable(), runtime.Enable(), chromedp.Navigate(base+"/"),
		wait(`document.querySelector('#live-state').textContent === 'connected'`))
	publish(t, base, binary, three)

	var arabic, hostile string
	var hacked bool
	steps("articles appear live, each in its direction",
		wait(`document.querySelectorAll('#live [data-id]').length === 3`),
		chromedp.AttributeValue(`#live [lang=ar] h2`, "dir", &arabic, nil),
		chromedp.Text(`#live [lang=fr] h2`, &hostile),
		chromedp.Evaluate(`window.hacked === 1`, &hacked))
	if arabic != "rtl" || !strings.HasPrefix(hostile, "<script>") || hacked {
		t.Errorf("Arabic title is %q, hostile title %q, hacked %v", arabic, hostile, hacked)
	}

	var found, marked, dir string
	steps("searching from the box", chromedp.SetValue(`#q`, "التعاون"), chromedp.Submit(`#q`),
		wait(`document.querySelector('#results-title')?.textContent.trim() === '1 article'`),
		chromedp.Text(`#results h2`, &found), chromedp.Text(`#results mark`, &marked), chromedp.AttributeValue(`#results h2`, "dir", &dir, nil))
	if !strings.Contains(found, "التعاون") || marked != "التعاون" || dir != "rtl" {
		t.Errorf("found %q, marked %q, direction %q", found, marked, dir)
	}

	steps("narrowing down by a facet", chromedp.Navigate(base+"/"), wait(`document.querySelectorAll('.facets a').length > 0`),
		chromedp.Click(`.facets a[href*="source=nord"]`),
		wait(`document.querySelector('#results-title')?.textContent.trim() === '1 article'`))
	var unsafe int
	steps("the article's own page", chromedp.Click(`#results h2 a`), wait(`location.pathname.startsWith('/articles/')`),
		chromedp.Evaluate(`document.querySelectorAll('a[href^="javascript"]').length`, &unsafe))
	if unsafe != 0 {
		t.Error("a javascript: address is linked")
	}

	steps("a wrong query is explained", chromedp.Navigate(base+"/?q=%28maroc"), wait(`document.querySelector('#problem .caret') !== null`))

	steps("a retracted article vanishes", chromedp.Navigate(base+"/"),
		wait(`document.querySelector('#live-state').textContent === 'connected' && document.querySelectorAll('#results [lang=en]').length > 0`))
	publish(t, base, binary, `{"source":{"id":"wire"},"guid":"3","status":"canceled"}`)
	steps("a retracted article vanishes", wait(`[...document.querySelectorAll('[data-id]')].every((e) => !e.textContent.includes('shakes Turkey'))`))

	var overflow bool
	steps("on a phone", chromedp.EmulateViewport(375, 700), chromedp.Navigate(base+"/"), chromedp.WaitVisible(`#q`),
		chromedp.Evaluate(`document.documentElement.scrollWidth > 376`, &overflow))
	if overflow {
		t.Error("the page is wider than a phone")
	}
	if len(complaints) > 0 {
		t.Errorf("the browser complains: %q", complaints)
	}
}

// TestSamples shows the demo's articles on the page; the picture for the
// README is taken of it.
func TestSamples(t *testing.T) {
	base, binary := startMarsad(t)
	ctx := startBrowser(t)
	if err := chromedp.Run(ctx, chromedp.Navigate(base+"/"), wait(`document.querySelector('#live-state').textContent === 'connected'`)); err != nil {
		t.Fatal(err)
	}
	samples, err := exec.Command("sh", "-c", `sed -E 's/"(published|embargoed)":"[^"]*",?//g; s/,}/}/' ../../cmd/marsad/internal/demo/articles.ndjson`).Output()
	if err != nil {
		t.Fatal(err)
	}
	publish(t, base, binary, string(samples))
	var shot []byte
	if err := chromedp.Run(ctx, wait(`document.querySelectorAll('#live [data-id]').length >= 40`), chromedp.Reload(),
		wait(`document.querySelectorAll('#results [data-id]').length >= 10 && document.querySelectorAll('#live [data-id]').length >= 5`),
		chromedp.CaptureScreenshot(&shot)); err != nil {
		t.Fatal(err)
	}
	if *picture == "" {
		return
	}
	if err := os.WriteFile(*picture, shot, 0o644); err != nil {
		t.Fatal(err)
	}
}
