/**
 * A plan as the outcome of a command.
 *
 * @module
 */

import type { Plan } from "../migration/plan.ts";
import type { Outcome } from "./command.ts";
import { planData } from "./json_output.ts";
import { renderPlan } from "./render.ts";
import type { Style } from "./style.ts";

/** Shows a plan; one with problems fails, as the run would. */
export function planOutcome(plan: Plan, style: Style): Outcome {
  return {
    code: plan.problems.length === 0 ? 0 : 1,
    text: renderPlan(plan, style),
    data: planData(plan),
  };
}
