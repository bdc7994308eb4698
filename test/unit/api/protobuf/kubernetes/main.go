// Writes the fixtures of kubernetes.jsonl: objects in JSON and in protobuf, both as Kubernetes' own
// Go types write them. Run outside of this repository, in a module that requires k8s.io/api and
// k8s.io/apimachinery.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	authzv1 "k8s.io/api/authorization/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	policyv1 "k8s.io/api/policy/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// "empty": nothing is set. "zero": every pointer, list and map holds one zero. "full": no zeros.
var modes = []string{"empty", "zero", "full"}

var at = time.Date(2030, 1, 2, 3, 4, 5, 678901000, time.UTC)

type filler struct {
	full  bool
	count int
}

func (f *filler) fill(v reflect.Value) {
	if f.special(v) {
		return
	}
	switch v.Kind() {
	case reflect.Ptr:
		v.Set(reflect.New(v.Type().Elem()))
		f.fill(v.Elem())
	case reflect.Struct:
		for i := 0; i < v.NumField(); i++ {
			if v.Type().Field(i).Name != "TypeMeta" {
				f.fill(v.Field(i))
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		f.fill(v.Index(0))
	case reflect.Map:
		item := reflect.New(v.Type().Elem()).Elem()
		f.fill(item)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("key").Convert(v.Type().Key()), item)
	case reflect.String, reflect.Bool, reflect.Int32, reflect.Int64, reflect.Uint8:
		if f.full {
			f.scalar(v)
		}
	default:
		panic(v.Type())
	}
}

func (f *filler) scalar(v reflect.Value) {
	f.count++
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprintf("tëxt-%d", f.count))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Uint8:
		v.SetUint(uint64(f.count % 256))
	default:
		v.SetInt(int64(f.count) * map[bool]int64{true: -1, false: 65537}[f.count%3 == 0])
	}
}

func (f *filler) special(v reflect.Value) bool {
	switch p := v.Addr().Interface().(type) {
	case *metav1.Time:
		if f.full {
			*p = metav1.NewTime(at)
		}
	case *metav1.MicroTime:
		if f.full {
			*p = metav1.NewMicroTime(at)
		}
	case *metav1.FieldsV1:
		*p = metav1.FieldsV1{Raw: []byte(`{"f:a":{".":{},"f:b":{}}}`)}
	case *resource.Quantity:
		if f.full {
			*p = resource.MustParse("1500m")
		}
	case *intstr.IntOrString:
		f.count++
		*p = intstr.FromInt32(int32(f.count))
		if f.count%2 == 0 {
			*p = intstr.FromString("25%")
		}
	default:
		return false
	}
	return true
}

func main() {
	scheme := runtime.NewScheme()
	encoder := protobuf.NewSerializer(scheme, scheme)
	for version, objects := range map[string][]runtime.Object{
		"v1": {&corev1.Namespace{}, &corev1.ConfigMap{}, &corev1.Secret{}, &corev1.ServiceAccount{}, &corev1.Service{},
			&corev1.Pod{}, &corev1.Event{}, &corev1.Node{}, &corev1.Binding{}, &metav1.DeleteOptions{}},
		"apps/v1":                 {&appsv1.Deployment{}, &appsv1.ReplicaSet{}},
		"discovery.k8s.io/v1":     {&discoveryv1.EndpointSlice{}},
		"policy/v1":               {&policyv1.Eviction{}, &policyv1.PodDisruptionBudget{}},
		"scheduling.k8s.io/v1":    {&schedulingv1.PriorityClass{}},
		"autoscaling/v1":          {&autoscalingv1.Scale{}},
		"authorization.k8s.io/v1": {&authzv1.SelfSubjectAccessReview{}, &authzv1.SelfSubjectRulesReview{}},
	} {
		for _, object := range objects {
			for _, mode := range modes {
				write(encoder, version, object.DeepCopyObject(), mode)
			}
		}
	}
}

func write(encoder runtime.Serializer, version string, object runtime.Object, mode string) {
	value := reflect.ValueOf(object).Elem()
	if mode != "empty" {
		(&filler{full: mode == "full"}).fill(value)
	}
	value.FieldByName("TypeMeta").Set(reflect.ValueOf(metav1.TypeMeta{APIVersion: version, Kind: value.Type().Name()}))
	var wire bytes.Buffer
	if err := encoder.Encode(object, &wire); err != nil {
		panic(err)
	}
	line := map[string]any{"mode": mode, "json": object, "protobuf": wire.Bytes()}
	if err := json.NewEncoder(os.Stdout).Encode(line); err != nil {
		panic(err)
	}
}
