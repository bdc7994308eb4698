/** scale: the number of replicas of a workload, as an autoscaling/v1 Scale. */
import { invalid } from '../../../api/errors.ts';
import { decode } from '../../../api/decode.ts';
import type { LabelSelector } from '../../../api/kinds/affinity.ts';
import { type AnyObject, ObjectMetaSchema, type ObjectMeta } from '../../../api/meta.ts';
import { type Infer, integer, object, string } from '../../../api/schema.ts';
import { selectorText } from '../../../api/selectors.ts';
import type { ApiResponse } from '../../../api/http.ts';
import { parseBody } from '../body.ts';
import { type Context, warn } from '../context.ts';
import { checkIdentity } from '../metadata.ts';
import { type WriteOptions, writeOptions } from '../options.ts';
import { documentPatch } from '../patch.ts';
import { publicForm } from '../representation.ts';
import { json } from '../responses.ts';
import type { ResourceRoute } from '../routes.ts';
import { change, existing } from '../update.ts';

const AUTOSCALING = 'io.k8s.api.autoscaling.v1';

export const ScaleSchema = object(`${AUTOSCALING}.Scale`, 'How many replicas there should be.', {
  apiVersion: string('autoscaling/v1'),
  kind: string('Scale'),
  metadata: ObjectMetaSchema,
  spec: object(`${AUTOSCALING}.ScaleSpec`, 'What is wanted.', {
    replicas: integer('How many there should be.'),
  }),
  status: object(`${AUTOSCALING}.ScaleStatus`, 'How it is.', {
    replicas: integer('How many there are.'),
    selector: string('What selects the pods.'),
  }),
});

type Scale = Infer<typeof ScaleSchema>;

/** The type that a Scale's identity is checked against and its faults are told of. */
const SCALE_KIND = { group: 'autoscaling', version: 'v1', kind: 'Scale' } as const;

interface Scaled {
  readonly spec: { readonly replicas?: number; readonly selector?: LabelSelector };
  readonly status?: { readonly replicas?: number };
}

function scaleOf(workload: AnyObject): Scale {
  const { spec, status } = workload as unknown as Scaled;
  const { name, namespace, uid, resourceVersion, creationTimestamp } = workload.metadata;
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, ...(namespace && { namespace }), uid, resourceVersion, creationTimestamp },
    spec: { replicas: spec.replicas ?? 0 },
    status: { replicas: status?.replicas ?? 0, selector: selectorText(spec.selector) },
  };
}

export async function getScale(context: Context, route: ResourceRoute): Promise<ApiResponse> {
  return json(200, scaleOf(await existing(context, route)));
}

export async function updateScale(context: Context, route: ResourceRoute): Promise<ApiResponse> {
  const options = writeOptions(context);
  const body = parseBody(context.request);
  return writeScale(context, route, options, () => body);
}

export async function patchScale(context: Context, route: ResourceRoute): Promise<ApiResponse> {
  const options = writeOptions(context);
  const patchDocument = documentPatch(context, ScaleSchema);
  return writeScale(context, route, options, (current) => patchDocument(scaleOf(current)));
}

async function writeScale(
  context: Context,
  route: ResourceRoute,
  options: WriteOptions,
  propose: (current: AnyObject) => { value: unknown; duplicates: readonly string[] },
): Promise<ApiResponse> {
  const changed = await change(context, route, options, (current) => {
    const { value, duplicates } = propose(current);
    const decoded = decode(ScaleSchema, value, options.fieldValidation, duplicates);
    warn(context, ...decoded.warnings);
    return { given: withReplicas(current, route, decoded.object) };
  });
  const { audited } = context;
  audited.resourceVersion = changed.metadata.resourceVersion;
  return json(200, scaleOf(changed));
}

function withReplicas(current: AnyObject, route: ResourceRoute, scale: Scale) {
  const given = { ...scale, metadata: scale.metadata as Partial<ObjectMeta> };
  checkIdentity(given, { ...route, type: { ...route.type, ...SCALE_KIND } });
  const replicas = scale.spec?.replicas ?? 0;
  if (replicas < 0) {
    const message = `Invalid value: ${replicas}: must be greater than or equal to 0`;
    const cause = { reason: 'FieldValueInvalid', message, field: 'spec.replicas' } as const;
    throw invalid(SCALE_KIND, route.name, [cause]);
  }
  const { uid = '', resourceVersion = '' } = scale.metadata ?? {};
  const metadata = { ...current.metadata, uid, resourceVersion };
  return { ...publicForm(current), metadata, spec: { ...(current['spec'] as object), replicas } };
}
