/** A cluster that has an object of nearly every kind, each as the control plane has made it. */
import { Session } from '../../golden/session.ts';
import type { AnyObject } from '../../../shared/api/meta.ts';
import { RESOURCES } from '../../../shared/api/resources.ts';
import type { World } from '../../world/world.ts';

/** What is stored, by resource. */
export type Stored = ReadonlyMap<string, readonly AnyObject[]>;

const SCRIPT = `
node add n1 cpu=8 memory=32Gi nvidia.com/gpu=4 @nullplane.io/gpu-sharing=assigned
node add n2 cpu=2 memory=8Gi
node add n3 cpu=2 memory=8Gi @nullplane.io/cell=batch
fargate
apply <<END
apiVersion: v1
kind: Namespace
metadata: {name: batch, labels: {nullplane.io/cell: batch}}
---
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: urgent}
value: 1000
---
apiVersion: karpenter.sh/v1
kind: NodePool
metadata: {name: general}
spec:
  limits: {cpu: 100}
  template:
    spec:
      requirements:
      - {key: karpenter.sh/capacity-type, operator: In, values: [on-demand]}
      expireAfter: 720h
  disruption: {consolidateAfter: 1m, budgets: [{nodes: 50%}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {mode: fast}
---
apiVersion: v1
kind: Secret
metadata: {name: token}
stringData: {token: abc}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec: {minAvailable: 2, selector: {matchLabels: {app: web}}}
---
apiVersion: scheduling.x-k8s.io/v1alpha1
kind: PodGroup
metadata: {name: train}
spec: {minMember: 2, scheduleTimeoutSeconds: 60}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      topologySpreadConstraints:
      - maxSkew: 1
        topologyKey: kubernetes.io/hostname
        whenUnsatisfiable: ScheduleAnyway
        labelSelector: {matchLabels: {app: web}}
      containers:
      - name: main
        image: app:1
        ports: [{containerPort: 80}]
        resources: {requests: {cpu: 500m, memory: 1Gi}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: train}
spec:
  replicas: 2
  selector: {matchLabels: {app: train}}
  template:
    metadata: {labels: {app: train, scheduling.x-k8s.io/pod-group: train}}
    spec:
      containers:
      - name: main
        image: train:1
        resources: {limits: {cpu: 1, memory: 1Gi, nullplane.io/gpu-milli: 400}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: big}
spec:
  replicas: 2
  selector: {matchLabels: {app: big}}
  template:
    metadata: {labels: {app: big}}
    spec:
      tolerations: [{key: a, operator: Exists}]
      affinity:
        nodeAffinity:
          requiredDuringSchedulingIgnoredDuringExecution:
            nodeSelectorTerms:
            - matchExpressions:
              - {key: karpenter.sh/nodepool, operator: In, values: [general]}
      containers:
      - {name: main, image: 'app:1', resources: {requests: {cpu: 3, memory: 1Gi}}}
---
apiVersion: v1
kind: Pod
metadata: {name: waits}
spec:
  priorityClassName: urgent
  nodeSelector: {no: where}
  containers: [{name: main, image: 'app:1', resources: {requests: {cpu: '1'}}}]
---
apiVersion: v1
kind: Pod
metadata: {name: apart, namespace: batch}
spec:
  containers: [{name: main, image: 'app:1', resources: {requests: {cpu: '1'}}}]
END
settle
tick 40s
apply <<END
apiVersion: apps/v1
kind: Deployment
metadata: {name: late}
spec:
  replicas: 2
  selector: {matchLabels: {app: late}}
  template:
    metadata: {labels: {app: late}}
    spec:
      nodeSelector: {karpenter.sh/nodepool: general}
      containers:
      - {name: main, image: 'app:1', resources: {requests: {cpu: 2, memory: 1Gi}}}
END
set image deployment/web main=app:2
tick 2s
`;

export async function cluster(): Promise<{ readonly world: World; readonly stored: Stored }> {
  const session = new Session();
  await session.play(SCRIPT);
  const { world } = session;
  const stored = new Map<string, readonly AnyObject[]>();
  for (const { name } of RESOURCES) {
    stored.set(name, (await world.store.list({ resource: name })).items);
  }
  return { world, stored };
}
