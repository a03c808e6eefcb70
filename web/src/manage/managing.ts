import type { Category } from "@creavio/client/community/v1/category";
import { CategoryService } from "@creavio/client/community/v1/category_service";
import type { Permission } from "@creavio/client/options/v1/permission";
import { PolicyService } from "@creavio/client/rbac/v1/policy_service";
import { type Role, RoleKind } from "@creavio/client/rbac/v1/role";
import { RoleService } from "@creavio/client/rbac/v1/role_service";
import { createContext, useContext } from "react";
import { useStore } from "zustand";
import { createStore } from "zustand/vanilla";

import type { Actions, Payload } from "@/store/actions";
import { lasting } from "@/store/lasting";
import { useKnown } from "@/store/react";
import { type ById, without } from "@/store/state";
import { store } from "@/store/store";
import { hear, useHeard as useAllHeard } from "@/stream/heard";

/** What is known of a community by those who manage it. */
export interface Kept {
  /** What one may do oneself; undefined until that is known. */
  readonly may: ReadonlySet<Permission> | undefined;
  /** The highest first. */
  readonly roles: readonly Role[];
  /** By person, the roles they have; where that was asked for. */
  readonly memberRoles: ById<readonly string[]>;
}

/** After which what one may do may be something else. */
const deciding: ReadonlySet<Payload["case"]> = new Set([
  "accessChanged",
  "roleUpdated",
  "roleDeleted",
  "rolesReordered",
  "communityUpdated",
  "memberTimedOut",
  "memberTimeoutEnded",
]);

const nothing: Kept = { may: undefined, roles: [], memberRoles: {} };
/** How many people's roles are asked for at once. */
const atOnce = 6;
/** Of how many people the roles are asked for unasked: a call each, and calls are counted. */
export const lookedAt = 400;

/** Keeps what the settings of a community show, as it changes. */
export class Managing {
  readonly kept = createStore<Kept>(() => nothing);
  readonly roles;
  readonly policy;
  readonly categories;
  readonly #asked = new Set<string>();
  #waiting: string[] = [];
  #reading = 0;
  #busy = 0;

  constructor(
    readonly actions: Actions,
    readonly communityId: string,
  ) {
    const { client } = actions.api;
    this.roles = client.service(RoleService);
    this.policy = client.service(PolicyService);
    this.categories = client.service(CategoryService);
  }

  /** Fetches everything and follows the stream; returns how to stop. */
  follow(): () => void {
    const deaf = hear(this.heard);
    this.#fetch();
    return () => {
      deaf();
      this.#waiting = [];
    };
  }

  /** Takes what the stream tells of this community. */
  readonly heard = (payload: Payload): void => {
    // The stream says when one sees something else; what one may do follows from roles.
    if (deciding.has(payload.case)) this.#permissions();
    switch (payload.case) {
      case "refetch":
        this.#fetch();
        break;
      case "roleCreated":
      case "roleUpdated":
        if (payload.value.role?.communityId === this.communityId) this.putRole(payload.value.role);
        break;
      case "roleDeleted":
        if (payload.value.communityId === this.communityId) this.dropRole(payload.value.roleId);
        break;
      case "rolesReordered":
        if (payload.value.communityId === this.communityId) this.order(payload.value.roleIds);
        break;
      case "memberRolesChanged":
        if (payload.value.communityId !== this.communityId) break;
        this.hold(payload.value.userId, payload.value.roleIds);
        if (payload.value.userId === store.getState().me?.id) this.#permissions();
        break;
      case "memberRemoved": {
        const { communityId, userId } = payload.value;
        if (communityId !== this.communityId) break;
        this.#asked.delete(userId);
        this.#change((kept) => ({ ...kept, memberRoles: without(kept.memberRoles, userId) }));
        break;
      }
    }
  };

  putRole(role: Role): void {
    this.#change((kept) => ({ ...kept, roles: put(kept.roles, role) }));
  }

  dropRole(id: string): void {
    this.#change((kept) => ({
      ...kept,
      roles: kept.roles.filter((one) => one.id !== id),
      memberRoles: Object.fromEntries(Object.entries(kept.memberRoles).map(([who, ids]) => [who, ids.filter((one) => one !== id)])),
    }));
  }

  /** Puts the roles into an order, the highest first. */
  order(ids: readonly string[]): void {
    this.#change((kept) => ({ ...kept, roles: kept.roles.toSorted((a, b) => ids.indexOf(a.id) - ids.indexOf(b.id)) }));
  }

  setRoles(roles: readonly Role[]): void {
    this.#change((kept) => ({ ...kept, roles }));
  }

  hold(userId: string, roleIds: readonly string[]): void {
    this.#asked.add(userId);
    this.#change((kept) => ({ ...kept, memberRoles: { ...kept.memberRoles, [userId]: roleIds } }));
  }

  /** Shows a category as it is now, before the stream tells. */
  putCategory(category: Category): void {
    this.actions.heard({ case: "categoryUpdated", value: { category } as never });
  }

  dropCategory(categoryId: string): void {
    this.actions.heard({ case: "categoryDeleted", value: { communityId: this.communityId, categoryId } as never });
  }

  /** Fetches the roles of people, where they are not known. */
  knowRoles(userIds: readonly string[]): void {
    const unknown = userIds.filter((id) => !this.#asked.has(id));
    for (const id of unknown) this.#asked.add(id);
    this.#waiting.push(...unknown);
    while (this.#busy < atOnce && this.#waiting.length > 0) {
      this.#busy += 1;
      void this.#next();
    }
  }

  async #next(): Promise<void> {
    for (let userId = this.#waiting.shift(); userId !== undefined; userId = this.#waiting.shift()) {
      const { communityId } = this;
      const id = userId;
      try {
        const { roleIds } = await lasting(() => this.roles.getMemberRoles({ communityId, userId: id }));
        this.hold(id, roleIds);
      } catch {
        this.#asked.delete(id);
      }
    }
    this.#busy -= 1;
  }

  #fetch(): void {
    const { communityId } = this;
    this.#permissions();
    this.#asked.clear();
    void lasting(() => this.roles.listRoles({ communityId })).then(({ roles }) => this.setRoles(roles), ignore);
    this.knowRoles([store.getState().me?.id ?? "", ...Object.keys(this.kept.getState().memberRoles)].filter((id) => id !== ""));
  }

  #permissions(): void {
    const { communityId } = this;
    const number = (this.#reading += 1);
    void lasting(() => this.policy.listPermissions({ communityId })).then(
      ({ permissions }) => {
        // What was asked for later says it better.
        if (number === this.#reading) this.#change((kept) => ({ ...kept, may: new Set(permissions) }));
      },
      ignore,
    );
  }

  #change(how: (kept: Kept) => Kept): void {
    this.kept.setState(how, true);
  }
}

/** Whoever is not here any more is told so by the frame. */
function ignore(): void {}

/** A role among others: in its place where it was, a new one just above the member role. */
function put(roles: readonly Role[], role: Role): readonly Role[] {
  if (roles.some((one) => one.id === role.id)) return roles.map((one) => (one.id === role.id ? role : one));
  const at = roles.findIndex((one) => one.kind === RoleKind.MEMBER);
  return at < 0 ? [...roles, role] : roles.toSpliced(at, 0, role);
}

const Here = createContext<Managing | undefined>(undefined);

export const ManagingProvider = Here.Provider;

export function useManaging(): Managing {
  const managing = useContext(Here);
  if (managing === undefined) throw new Error("outside the settings of a community");
  return managing;
}

/** A part of what is known of the community. */
export function useKept<T>(part: (kept: Kept) => T): T {
  return useStore(useManaging().kept, part);
}

const none: readonly string[] = [];

const noCategories: readonly Category[] = [];

/** The categories of the community, in their order. */
export function useCategories(): readonly Category[] {
  const { communityId } = useManaging();
  return useKnown((state) => state.categories[communityId]) ?? noCategories;
}

/** The roles one has oneself. */
export function useMine(): readonly string[] {
  const id = useKnown((state) => state.me?.id ?? "");
  return useKept((kept) => kept.memberRoles[id]) ?? none;
}

/** Whether one may do something oneself, in the community as a whole. */
export function useMay(permission: Permission): boolean {
  return useKept((kept) => kept.may?.has(permission) === true);
}

/** Does something when the stream tells of one of these. */
export function useHeard(cases: readonly Payload["case"][], how: (payload: Payload) => void): void {
  useAllHeard((payload) => {
    if (cases.includes(payload.case)) how(payload);
  });
}
