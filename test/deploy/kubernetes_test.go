package deploy

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"

	"github.com/marsad-news/marsad/pkg/bus"
)

// build makes the objects of a kustomization. A field that the Kubernetes API
// does not have, or one given twice, is a failure.
func build(t *testing.T, name string) []runtime.Object {
	t.Helper()
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).
		Run(filesys.MakeFsOnDisk(), filepath.Join(root, "deploy/k8s", name))
	if err != nil {
		t.Fatal(err)
	}
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		corev1.AddToScheme, appsv1.AddToScheme, batchv1.AddToScheme, policyv1.AddToScheme, networkingv1.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	decoder := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()
	var objects []runtime.Object
	for _, r := range resources.Resources() {
		o, _, err := decoder.Decode([]byte(r.MustYaml()), nil, nil)
		if err != nil {
			t.Fatalf("%s: %v", r.CurId(), err)
		}
		objects = append(objects, o)
	}
	return objects
}

func of[T runtime.Object](objects []runtime.Object) []T {
	var out []T
	for _, o := range objects {
		if typed, ok := o.(T); ok {
			out = append(out, typed)
		}
	}
	return out
}

// workload is what has pods.
type workload struct {
	name     string
	pod      corev1.PodTemplateSpec
	replicas int  // 1 of a Job
	service  bool // runs until it is told to end
}

func (w workload) container() corev1.Container { return w.pod.Spec.Containers[0] }

func workloads(objects []runtime.Object) []workload {
	var out []workload
	for _, d := range of[*appsv1.Deployment](objects) {
		out = append(out, workload{d.Name, d.Spec.Template, int(*d.Spec.Replicas), true})
	}
	for _, j := range of[*batchv1.Job](objects) {
		out = append(out, workload{j.Name, j.Spec.Template, 1, false})
	}
	return out
}

// environment is that of w's container, without what only Secrets would add.
func environment(t *testing.T, w workload, objects []runtime.Object) []string {
	t.Helper()
	env := map[string]string{}
	for _, from := range w.container().EnvFrom {
		if from.SecretRef != nil {
			if from.SecretRef.Optional == nil || !*from.SecretRef.Optional {
				t.Errorf("%s cannot start without Secret %s", w.name, from.SecretRef.Name)
			}
			continue
		}
		configMaps := of[*corev1.ConfigMap](objects)
		i := slices.IndexFunc(configMaps, func(c *corev1.ConfigMap) bool { return c.Name == from.ConfigMapRef.Name })
		if i < 0 {
			t.Fatalf("%s wants ConfigMap %s, which is not there", w.name, from.ConfigMapRef.Name)
		}
		maps.Copy(env, configMaps[i].Data)
	}
	for _, e := range w.container().Env {
		if e.ValueFrom == nil {
			env[e.Name] = e.Value
		} else if r := e.ValueFrom.ResourceFieldRef; r != nil && r.Resource == "requests.memory" {
			requests := w.container().Resources.Requests
			env[e.Name] = strconv.FormatInt(requests.Memory().Value(), 10)
		} else {
			t.Errorf("%s has %s from something that is not tested here", w.name, e.Name)
		}
	}
	var out []string
	for name, value := range env {
		out = append(out, name+"="+value)
	}
	slices.Sort(out)
	return out
}

// each runs check as a subtest for the base and for the example of an overlay.
func each(t *testing.T, check func(t *testing.T, objects []runtime.Object)) {
	for _, name := range []string{"base", "example"} {
		t.Run(name, func(t *testing.T) { check(t, build(t, name)) })
	}
}

func TestSettings(t *testing.T) {
	each(t, func(t *testing.T, objects []runtime.Object) {
		for _, w := range workloads(objects) {
			accepts(t, target(t, w.container().Image), w.container().Args, environment(t, w, objects))
		}
	})
}

// TestSecrets holds the variables that README.md and the example name against
// the programs.
func TestSecrets(t *testing.T) {
	kafka := []string{"MARSAD_KAFKA_SASL_USERNAME=u", "MARSAD_KAFKA_SASL_PASSWORD=p"}
	elasticsearch := []string{"MARSAD_ELASTICSEARCH_API_KEY=k", "MARSAD_ELASTICSEARCH_USERNAME=u", "MARSAD_ELASTICSEARCH_PASSWORD=p"}
	objects := build(t, "example")
	for _, w := range workloads(objects) {
		env := environment(t, w, objects)
		for _, from := range w.container().EnvFrom {
			if from.SecretRef == nil {
				continue
			}
			switch from.SecretRef.Name {
			case "marsad-kafka":
				env = append(env, kafka...)
			case "marsad-elasticsearch":
				env = append(env, elasticsearch...)
			default:
				t.Errorf("%s takes Secret %s, of which README.md says nothing", w.name, from.SecretRef.Name)
			}
		}
		accepts(t, target(t, w.container().Image), w.container().Args, env)
	}
}

// TestCertificates holds the files that settings name against the volumes.
func TestCertificates(t *testing.T) {
	objects := build(t, "example")
	for _, w := range workloads(objects) {
		for _, e := range environment(t, w, objects) {
			name, value, _ := strings.Cut(e, "=")
			if !strings.HasSuffix(name, "_FILE") {
				continue
			}
			if !slices.ContainsFunc(w.container().VolumeMounts, func(m corev1.VolumeMount) bool { return m.MountPath == filepath.Dir(value) }) {
				t.Errorf("%s has %s, where no volume is", w.name, e)
			}
		}
		for _, m := range w.container().VolumeMounts {
			i := slices.IndexFunc(w.pod.Spec.Volumes, func(v corev1.Volume) bool { return v.Name == m.Name })
			if i < 0 {
				t.Errorf("%s mounts %s, which is no volume", w.name, m.Name)
			} else if s := w.pod.Spec.Volumes[i].Secret; s == nil || s.Optional == nil || !*s.Optional {
				t.Errorf("%s cannot start without volume %s", w.name, m.Name)
			}
		}
	}
}

func TestPods(t *testing.T) {
	each(t, func(t *testing.T, objects []runtime.Object) {
		services := map[string]bool{}
		for _, w := range workloads(objects) {
			if len(w.pod.Spec.Containers) != 1 {
				t.Fatalf("%s has %d containers, the tests know one", w.name, len(w.pod.Spec.Containers))
			}
			restricted(t, w)
			resources(t, w)
			if w.service {
				services[target(t, w.container().Image)] = true
			}
		}
		for name := range programs {
			if name != "marsad" && !services[name] {
				t.Errorf("%s is not deployed", name)
			}
		}
	})
}

// restricted holds a pod to the restricted profile of Kubernetes's Pod Security
// Standards, and to what Marsad needs beyond it.
func restricted(t *testing.T, w workload) {
	t.Helper()
	spec, pod, c := w.pod.Spec, w.pod.Spec.SecurityContext, w.container().SecurityContext
	for what, ok := range map[string]bool{
		"runs as the user of the image":     pod != nil && *pod.RunAsNonRoot && *pod.RunAsUser == user && *pod.FSGroup == user,
		"has the runtime's seccomp":         pod != nil && pod.SeccompProfile.Type == corev1.SeccompProfileTypeRuntimeDefault,
		"gains no privileges":               c != nil && !*c.AllowPrivilegeEscalation && c.Privileged == nil,
		"has no capabilities":               c != nil && slices.Equal(c.Capabilities.Drop, []corev1.Capability{"ALL"}) && c.Capabilities.Add == nil,
		"cannot write to its own files":     c != nil && *c.ReadOnlyRootFilesystem,
		"has no token for the API server":   spec.AutomountServiceAccountToken != nil && !*spec.AutomountServiceAccountToken,
		"is alone":                          !spec.HostNetwork && !spec.HostPID && !spec.HostIPC,
		"gets no MARSAD_ variables unasked": spec.EnableServiceLinks != nil && !*spec.EnableServiceLinks,
	} {
		if !ok {
			t.Errorf("pod of %s: it should be that it %s", w.name, what)
		}
	}
}

// maxMemory is what index may hold before anything else of the process, in
// bytes.
const maxMemory = 512 << 20

func resources(t *testing.T, w workload) {
	t.Helper()
	r := w.container().Resources
	request, limit := r.Requests.Memory().Value(), r.Limits.Memory().Value()
	if request == 0 || request > limit*9/10 {
		t.Errorf("%s: the memory limit %d leaves Go less than a tenth above GOMEMLIMIT %d", w.name, limit, request)
	}
	if w.name == "index" && request <= maxMemory {
		t.Errorf("index: GOMEMLIMIT is %d, it may hold %d", request, maxMemory)
	}
	if r.Requests.Cpu().IsZero() || r.Limits.Cpu().IsZero() {
		t.Errorf("%s: without a limit on cpu, GOMAXPROCS is all of the node's", w.name)
	}
}

func TestProbes(t *testing.T) {
	each(t, func(t *testing.T, objects []runtime.Object) {
		for _, w := range workloads(objects) {
			if !w.service {
				continue
			}
			c := w.container()
			for _, p := range []struct {
				probe *corev1.Probe
				path  string
			}{{c.StartupProbe, "/livez"}, {c.LivenessProbe, "/livez"}, {c.ReadinessProbe, "/readyz"}} {
				if p.probe == nil || p.probe.HTTPGet == nil || p.probe.HTTPGet.Path != p.path || p.probe.HTTPGet.Port.String() != "http" {
					t.Errorf("%s: probe %+v does not ask %s of port http", w.name, p.probe, p.path)
				}
			}
			port := slices.IndexFunc(c.Ports, func(p corev1.ContainerPort) bool { return p.Name == "http" })
			if port < 0 {
				t.Fatalf("%s has no port http", w.name)
			}
			number := fmt.Sprint(c.Ports[port].ContainerPort)
			if !slices.Contains(environment(t, w, objects), "MARSAD_LISTEN=:"+number) {
				t.Errorf("%s does not listen on port %s of all addresses", w.name, number)
			}
			if w.pod.Annotations["prometheus.io/port"] != number {
				t.Errorf("%s: Prometheus asks port %s, metrics are on %s", w.name, w.pod.Annotations["prometheus.io/port"], number)
			}
		}
	})
}

// TestScale holds the replicas to the partitions, of which each has one reader
// in a group.
func TestScale(t *testing.T) {
	partitions := map[string]int{}
	for _, topic := range bus.Topics() {
		partitions[topic.Name] = topic.Partitions
	}
	read := map[string]string{"ingest": bus.TopicRaw, "enrich": bus.TopicClean, "index": bus.TopicEnriched}
	each(t, func(t *testing.T, objects []runtime.Object) {
		for _, w := range workloads(objects) {
			if topic, ok := read[w.name]; ok && w.replicas > partitions[topic] {
				t.Errorf("%s has %d replicas, %s has %d partitions", w.name, w.replicas, topic, partitions[topic])
			}
		}
	})
}

// TestSelectors sees that everything that selects pods selects those it is
// meant for.
func TestSelectors(t *testing.T) {
	each(t, func(t *testing.T, objects []runtime.Object) {
		all := workloads(objects)
		selects := func(what string, s labels.Selector, want ...string) {
			t.Helper()
			var got []string
			for _, w := range all {
				if s.Matches(labels.Set(w.pod.Labels)) {
					got = append(got, w.name)
				}
			}
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("%s selects %q, want %q", what, got, want)
			}
		}
		by := func(s *metav1.LabelSelector) labels.Selector {
			out, err := metav1.LabelSelectorAsSelector(s)
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
		for _, d := range of[*appsv1.Deployment](objects) {
			selects("Deployment "+d.Name, by(d.Spec.Selector), d.Name)
			for _, c := range d.Spec.Template.Spec.TopologySpreadConstraints {
				if !slices.Contains(c.MatchLabelKeys, "app.kubernetes.io/name") {
					t.Errorf("%s is spread together with the pods of others", d.Name)
				}
			}
		}
		services := of[*corev1.Service](objects)
		for _, s := range services {
			selects("Service "+s.Name, labels.SelectorFromSet(s.Spec.Selector), s.Name)
			if p := s.Spec.Ports[0]; p.TargetPort.String() != "http" {
				t.Errorf("Service %s leads to port %s", s.Name, p.TargetPort.String())
			}
		}
		if len(services) != 2 {
			t.Errorf("there are %d Services, want ingest and web", len(services))
		}
		budgets := of[*policyv1.PodDisruptionBudget](objects)
		for _, b := range budgets {
			selects("PodDisruptionBudget "+b.Name, by(b.Spec.Selector), b.Name)
		}
		if len(budgets) != 4 {
			t.Errorf("there are %d PodDisruptionBudgets, want one for each service", len(budgets))
		}
		open := map[string][]string{
			"default-deny": {"enrich", "index", "ingest", "setup", "web"},
			"api":          {"ingest", "web"},
			"metrics":      {"enrich", "index"},
		}
		policies := of[*networkingv1.NetworkPolicy](objects)
		for _, p := range policies {
			selects("NetworkPolicy "+p.Name, by(&p.Spec.PodSelector), open[p.Name]...)
			for _, rule := range p.Spec.Ingress {
				if len(rule.Ports) != 1 || rule.Ports[0].Port.String() != "http" {
					t.Errorf("NetworkPolicy %s opens more than port http", p.Name)
				}
			}
		}
		if len(policies) != len(open) {
			t.Errorf("there are %d NetworkPolicies, want %d", len(policies), len(open))
		}
	})
}
