/**
 * What is served and never stored: reviews. Discovery lists them beside the registry; reviews.ts
 * answers them.
 */

export interface VirtualResource {
  readonly plural: string;
  readonly singular: string;
  readonly kind: string;
}

export interface VirtualGroup {
  readonly group: string;
  readonly version: string;
  readonly resources: readonly VirtualResource[];
}

const selfSubjectReviews: VirtualResource = {
  plural: 'selfsubjectreviews',
  singular: 'selfsubjectreview',
  kind: 'SelfSubjectReview',
};

export const VIRTUAL_GROUPS: readonly VirtualGroup[] = [
  { group: 'authentication.k8s.io', version: 'v1', resources: [selfSubjectReviews] },
  // kubectl 1.27 asks `auth whoami` of no later version.
  { group: 'authentication.k8s.io', version: 'v1beta1', resources: [selfSubjectReviews] },
  {
    group: 'authorization.k8s.io',
    version: 'v1',
    resources: [
      {
        plural: 'selfsubjectaccessreviews',
        singular: 'selfsubjectaccessreview',
        kind: 'SelfSubjectAccessReview',
      },
      {
        plural: 'selfsubjectrulesreviews',
        singular: 'selfsubjectrulesreview',
        kind: 'SelfSubjectRulesReview',
      },
    ],
  },
];
