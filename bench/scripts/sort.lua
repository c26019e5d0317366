local numbers, texts = {}, {}
local x = 42
for i = 1, 200000 do
  x = (x * 1103515 + 12345) % 2147483648
  numbers[i] = x
  texts[i] = "n" .. x
end
table.sort(numbers)
table.sort(texts)
print(numbers[1001])
print(texts[1001])
