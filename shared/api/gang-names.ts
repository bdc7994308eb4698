/**
 * How pods say which gang they are of. Source: the scheduler-plugins project, coscheduling: its
 * PodGroup label, and the labels of its lightweight form, which are taken from annotations as well.
 */

/** Names the PodGroup, in the pod's namespace. */
export const POD_GROUP_LABEL = 'scheduling.x-k8s.io/pod-group';
/** Names a gang for which there is no object. */
export const GANG_NAME = 'pod-group.scheduling.sigs.k8s.io/name';
/** How many pods of that gang are placed together. */
export const GANG_MIN_AVAILABLE = 'pod-group.scheduling.sigs.k8s.io/min-available';

/** A number of pods as a gang's label or annotation has it. */
export const GANG_SIZE = /^[1-9][0-9]{0,8}$/;
