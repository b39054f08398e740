package main

import (
	"bufio"
	"context"
	"net/http"
	"strconv"
	"strings"
)

// metric reads one value of a process's metrics, 0 where it is not there yet.
func metric(ctx context.Context, addr, name string) (float64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/metrics", http.NoBody)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Accept-Encoding", "identity") // packing it would cost the process measured
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	found := 0.0
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		if value, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			if found, err = strconv.ParseFloat(value, 64); err != nil {
				return 0, err
			}
		}
	}
	return found, lines.Err()
}
