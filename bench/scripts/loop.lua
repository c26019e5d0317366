local i, sum, x = 0, 0, 42
while i < 3000000 do
  i = i + 1
  x = (x * 1103515 + 12345) % 2147483648
  if x < 1073741824 then
    sum = sum + 1
  end
end
print(sum)
