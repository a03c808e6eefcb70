import type { ReactNode } from "react";

import type { ForumTag } from "@creavio/client/community/v1/forum";
import { classes } from "@/ui/parts";

import { useSay } from "./texts";

/** How many tags a post has at most; the platform holds the same. */
export const most = 5;

interface TagButtonProps {
  readonly pressed: boolean;
  readonly disabled?: boolean;
  readonly onPress: () => void;
  readonly children: ReactNode;
}

export function TagButton({ pressed, disabled = false, onPress, children }: TagButtonProps): ReactNode {
  return (
    <button
      type="button"
      aria-pressed={pressed}
      disabled={disabled}
      onClick={onPress}
      className={classes(
        "min-h-8 rounded-full px-3 text-13 max-mid:min-h-11",
        pressed ? "bg-accent-soft font-semibold text-accent-text shadow-[inset_0_0_0_1.5px_var(--accent)]" : "shadow-[inset_0_0_0_1px_var(--line)]",
        disabled ? "opacity-60" : !pressed && "hover:bg-hover",
      )}
    >
      {children}
    </button>
  );
}

interface TagChoiceProps {
  readonly tags: readonly ForumTag[];
  readonly chosen: readonly string[];
  /** Whether one may not say anything of this one. */
  readonly fixed?: (tag: ForumTag) => boolean;
  readonly onChange: (chosen: readonly string[]) => void;
}

/** Some of the tags of a forum. */
export function TagChoice({ tags, chosen, fixed = () => false, onChange }: TagChoiceProps): ReactNode {
  const say = useSay();
  return (
    <div className="flex flex-wrap gap-1.5" role="group" aria-label={say("post.tags")}>
      {tags.map((one) => {
        const pressed = chosen.includes(one.id);
        return (
          <TagButton
            key={one.id}
            pressed={pressed}
            disabled={fixed(one) || (!pressed && chosen.length >= most)}
            onPress={() => onChange(pressed ? chosen.filter((id) => id !== one.id) : [...chosen, one.id])}
          >
            {one.emoji} {one.name}
          </TagButton>
        );
      })}
    </div>
  );
}

/** The tags of a post. */
export function Tags({ tags }: { readonly tags: readonly ForumTag[] }): ReactNode {
  return tags.map((one) => (
    <span key={one.id} className="rounded-full bg-sunken px-2 py-0.5 text-12 font-normal text-muted shadow-[inset_0_0_0_1px_var(--line)]">
      {one.emoji} {one.name}
    </span>
  ));
}
