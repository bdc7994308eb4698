/**
 * What every function holds: the outside, the routes, and the API. Composed once per cold start.
 */
import type { Effects } from '../../shared/control/effects.ts';
import type { Routes } from '../../shared/control/router.ts';

export interface Plane {
  readonly effects: Effects;
  readonly routes: Routes;
}
