import { expect, test } from "vitest";

import { choose, findVariant, initialSelection, optionGroups } from "@/features/catalog/variants";
import { aProduct, aVariant } from "@/testing/builders";

const { variants } = aProduct();

test("the shopper starts in a colour that is in stock, and chooses the size", () => {
  expect(initialSelection(variants)).toEqual({ colour: "black" });
});

test("a size sold out in the chosen colour is off, and no colour ever locks another one out", () => {
  const [colours, sizes] = optionGroups(variants, { colour: "black", size: "M" });
  expect(sizes?.values).toEqual([
    { value: "S", isAvailable: false },
    { value: "M", isAvailable: true },
  ]);
  expect(colours?.values.every((colour) => colour.isAvailable)).toBe(true);
});

test("changing the colour drops a size that colour does not have", () => {
  expect(choose(variants, { colour: "black", size: "M" }, "colour", "navy")).toEqual({ colour: "navy" });
});

test("sizes stand in the order people expect", () => {
  const odd = [aVariant("red", "XL"), aVariant("red", "10"), aVariant("red", "S")];
  const numbers = [aVariant("red", "10"), aVariant("red", "9")];
  expect(optionGroups(odd, {})[1]?.values.map(({ value }) => value)).toEqual(["S", "XL", "10"]);
  expect(optionGroups(numbers, {})[1]?.values.map(({ value }) => value)).toEqual(["9", "10"]);
});

test("a product without options is its one variant", () => {
  const only = { ...aVariant("", ""), options: {} };
  expect(findVariant([only], initialSelection([only]))).toBe(only);
});
