// A kube-apiserver of a version that go.mod fixes, for runs by hand: the modules of Kubernetes
// replace each other, so `go install` refuses them and a module around them is needed.
package main

import (
	"os"

	"k8s.io/component-base/cli"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
)

func main() {
	os.Exit(cli.Run(app.NewAPIServerCommand()))
}
