// SPDX-License-Identifier: Apache-2.0

// Reads a compose file as `docker compose` does (schema, variables, consistency) and prints what
// it means as JSON.
//
//	compose FILE ENVFILE
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/compose-spec/compose-go/v2/cli"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: compose FILE ENVFILE")
		os.Exit(2)
	}
	options, err := cli.NewProjectOptions([]string{os.Args[1]},
		cli.WithEnvFiles(os.Args[2]), cli.WithDotEnv, cli.WithResolvedPaths(true),
		cli.WithNormalization(true), cli.WithConsistency(true))
	if err == nil {
		project, problem := cli.ProjectFromOptions(context.Background(), options)
		if problem == nil {
			text, _ := project.MarshalJSON()
			fmt.Println(string(text))
			return
		}
		err = problem
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
