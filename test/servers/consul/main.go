// The agent of a Consul of a version that go.mod fixes, for runs by hand: the modules of Consul
// replace each other, so `go install` refuses them and a module around them is needed.
package main

import (
	"fmt"
	"os"

	"github.com/hashicorp/consul/command/agent"
	consul "github.com/hashicorp/consul/command/cli"
	"github.com/mitchellh/cli"
)

func main() {
	terminal := &consul.BasicUI{BasicUi: cli.BasicUi{Writer: os.Stdout, ErrorWriter: os.Stderr}}
	program := &cli.CLI{
		Name: "consul",
		Args: os.Args[1:],
		Commands: map[string]cli.CommandFactory{
			"agent": func() (cli.Command, error) { return agent.New(terminal), nil },
		},
	}
	status, err := program.Run()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(status)
}
