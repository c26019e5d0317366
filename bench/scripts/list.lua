local list = {}
local i = 0
while i < 1000000 do
  table.insert(list, i * 3)
  i = i + 1
end
local sum = 0
i = 1
while i <= 1000000 do
  sum = sum + list[i]
  i = i + 1
end
for _, x in ipairs(list) do
  sum = sum + x
end
print(sum)
