-- Lua's tables have no order: a list of the keys stands beside.
local m, keys = {}, {}
local i = 0
while i < 400000 do
  local key = "key" .. (i % 200000)
  if m[key] ~= nil then
    m[key] = m[key] + 1
  else
    m[key] = 1
    keys[#keys + 1] = key
  end
  i = i + 1
end
local sum, length = 0, 0
for _, k in ipairs(keys) do
  sum = sum + m[k]
  length = length + #k
end
print(sum + length)
