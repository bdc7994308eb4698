/** The volume sources that a pod may name, and where a container mounts them. */
import {
  any,
  boolean,
  type Infer,
  integer,
  list,
  mapList,
  object,
  oneOf,
  quantity,
  required,
  string,
  unsupported,
  withDefault,
} from '../schema.ts';

const CORE = 'io.k8s.api.core.v1';

const KeyToPathSchema = object(`${CORE}.KeyToPath`, 'One key and the file it becomes.', {
  key: required(string('The key to project.')),
  path: required(string('The relative path of the file.')),
  mode: integer('Permission bits of the file.'),
});

const items = list('Which keys become which files; all of them when absent.', KeyToPathSchema);
const defaultMode = integer('Permission bits of created files. 0644 by default.');
const optional = boolean('The pod may start although the object or key is missing.');

const EmptyDirSchema = object(
  `${CORE}.EmptyDirVolumeSource`,
  'A directory that lives with the task.',
  {
    medium: oneOf('Memory for a tmpfs.', ['', 'Memory']),
    sizeLimit: quantity('The most it may hold.'),
  },
);

const ConfigMapVolumeSchema = object(`${CORE}.ConfigMapVolumeSource`, 'Files out of a ConfigMap.', {
  name: withDefault(string('Name of the ConfigMap.'), ''),
  items,
  defaultMode: withDefault(defaultMode, 0o644),
  optional,
});

const SecretVolumeSchema = object(`${CORE}.SecretVolumeSource`, 'Files out of a Secret.', {
  secretName: string('Name of the Secret.'),
  items,
  defaultMode: withDefault(defaultMode, 0o644),
  optional,
});

const HostPathSchema = object(`${CORE}.HostPathVolumeSource`, 'A path of the host.', {
  path: required(string('The path.')),
  type: string('What must be there.'),
});

const ClaimSchema = object(`${CORE}.PersistentVolumeClaimVolumeSource`, 'A claimed volume.', {
  claimName: required(string('Name of the claim.')),
  readOnly: boolean('Mount it read-only.'),
});

export const VolumeSchema = object(
  `${CORE}.Volume`,
  'A directory that containers of a pod may mount.',
  {
    name: required(string('Unique in the pod.')),
    emptyDir: EmptyDirSchema,
    configMap: ConfigMapVolumeSchema,
    secret: SecretVolumeSchema,
    // Known, so that a manifest that uses them is refused with the reason and not for an unknown
    // field.
    hostPath: HostPathSchema,
    persistentVolumeClaim: ClaimSchema,
    projected: any('Several sources in one directory; not served yet.'),
    downwardAPI: any('Files about the pod; not served yet.'),
    ephemeral: any('A claim that lives with the pod; not served yet.'),
    csi: any('A volume of a driver; not served yet.'),
    nfs: any('A directory of an NFS server; not served yet.'),
    image: any('The files of an image; not served yet.'),
    gitRepo: any('A checked out repository; not served.'),
    iscsi: any('An iSCSI disk; not served.'),
    fc: any('A fibre channel disk; not served.'),
    awsElasticBlockStore: any('An EBS volume, the old way; not served.'),
  },
);

export const VolumeMountSchema = object(`${CORE}.VolumeMount`, 'Where a container sees a volume.', {
  name: required(string('The volume.')),
  mountPath: required(string('The path inside the container.')),
  readOnly: boolean('Mount it read-only.'),
  subPath: string('A path inside the volume.'),
  subPathExpr: unsupported(string('A path with variables.'), 'subPathExpr has no effect yet'),
  recursiveReadOnly: unsupported(
    string('Whether mounts below are read-only too.'),
    'recursiveReadOnly has no effect',
  ),
  mountPropagation: unsupported(string('How mounts propagate.'), 'mounts do not propagate'),
});

export const volumes = mapList('The volumes of the pod.', VolumeSchema, ['name']);
export const volumeMounts = mapList('The volumes that the container sees.', VolumeMountSchema, [
  'mountPath',
]);

export type Volume = Infer<typeof VolumeSchema>;
export type VolumeMount = Infer<typeof VolumeMountSchema>;
