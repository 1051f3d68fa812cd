// Says what is wrong with a dashboard, by the types that Grafana generates of its own schema: `go run . dashboard.json`.
package main

import (
	"fmt"
	"os"

	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

func main() {
	text, err := os.ReadFile(os.Args[1])
	if err != nil {
		fail(err)
	}
	plugins.RegisterDefaultPlugins() // so that panels' options and queries are looked at, too
	var found dashboard.Dashboard
	fail(found.UnmarshalJSONStrict(text))
	fail(found.Validate())
}

// A list of errors may be there and empty.
func fail(err error) {
	if err != nil && err.Error() != "" {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
